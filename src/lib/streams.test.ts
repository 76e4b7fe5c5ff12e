import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from './clock.ts'
import { readNdjson } from './ndjson.ts'
import { decodeServerSentEvents, encodeServerSentEvent, serverSentHeartbeat } from './serverSentEvents.ts'
import { endAtSilence } from './silence.ts'

/** Yields `text` as bytes, cut at random. */
async function* inPieces(text: string, cuts: readonly number[]): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text)
  let at = 0
  for (const cut of cuts) {
    yield bytes.subarray(at, at + cut)
    at = Math.min(at + cut, bytes.length)
  }
  yield bytes.subarray(at)
}
const cuts = fc.array(fc.nat(40), { maxLength: 30 })

describe('server-sent events', () => {
  it('are decoded unchanged, however the bytes are cut', async () => {
    const message = fc.record({ id: fc.nat().map(String), event: fc.constantFrom('desired', 'ask'), data: fc.json() })
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 8 }), cuts, async (messages, where) => {
        const text = messages.map((one) => `${encodeServerSentEvent(one)}${serverSentHeartbeat}`).join('')
        expect(await Array.fromAsync(decodeServerSentEvents(inPieces(text, where)))).toEqual(messages)
      }),
    )
  })
  it('report every chunk, heartbeats too, and drop an incomplete message at the end', async () => {
    let heard = 0
    const pieces = inPieces(`${serverSentHeartbeat}data: 1\n\ndata: 2`, [9, 9])
    const all = await Array.fromAsync(decodeServerSentEvents(pieces, () => heard++))
    expect([all.map(({ data }) => data), heard]).toEqual([['1'], 3])
  })
  it('have a size limit', async () => {
    const endless = inPieces('x'.repeat(17 * 1024 * 1024), [])
    await expect(Array.fromAsync(decodeServerSentEvents(endless))).rejects.toThrow('longer than 16 MiB')
  })
  it('of many megabytes in small pieces take almost no time', async () => {
    const text = encodeServerSentEvent({ data: JSON.stringify('y'.repeat(15 * 1024 * 1024)) })
    const start = process.cpuUsage()
    const all = await Array.fromAsync(decodeServerSentEvents(inPieces(text, Array<number>(480).fill(32 * 1024))))
    expect(all).toHaveLength(1)
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000)
  })
})

describe('lines of JSON', () => {
  const schema = z.object({ n: z.number() })
  it('are decoded unchanged, however the bytes are cut; blank lines are skipped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ n: fc.nat() })), cuts, async (values, where) => {
        const text = values.map((value) => `${JSON.stringify(value)}\n\n`).join('')
        expect(await Array.fromAsync(readNdjson(inPieces(text, where), schema))).toEqual(values)
      }),
    )
  })
  it.each(['x', '{"n":"1"}', '{"n":1'])('that are invalid are refused: %s', async (line) => {
    await expect(Array.fromAsync(readNdjson(inPieces(line, []), schema))).rejects.toThrow(/JSON|expected/)
  })
  it('have a size limit', async () => {
    const long = inPieces('x'.repeat(2 * 1024 * 1024), [])
    await expect(Array.fromAsync(readNdjson(long, schema))).rejects.toThrow('longer than 1 MiB')
  })
})

describe('ending at silence', () => {
  it('passes on items that come in time, however slow the consumer is', async () => {
    const seen: number[] = []
    async function* three(): AsyncIterable<number> {
      yield* [1, 2, 3]
    }
    for await (const item of endAtSilence(three(), 10, systemClock)) {
      seen.push(item)
      await new Promise((resolve) => setTimeout(resolve, 15)) // longer than the allowed silence
    }
    expect(seen).toEqual([1, 2, 3])
  })
  it('throws when no item comes, and releases the source', async () => {
    let isReleased = false
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          isReleased = true
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    }
    await expect(Array.fromAsync(endAtSilence(source, 10, systemClock))).rejects.toThrow('no data arrived for 0.01 s')
    expect(isReleased).toBe(true)
  })
})
