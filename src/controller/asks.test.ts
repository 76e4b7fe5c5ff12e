import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import type { Answer, Ask } from '../protocol/ask.ts'
import { Asks, type AskLimits } from './asks.ts'
import { until } from '../lib/testing/until.ts'

const question = {
  kind: 'logs',
  id: 'q',
  service: 'shop',
  instance: null,
  since: null,
  last: null,
  follow: true,
} as const
const line = (text: string): Answer => ({
  ...{ kind: 'line', at: '', service: 'shop', instance: 'x', stream: 'out', text },
})
let sent: [string, Ask][]
let isConnected: boolean
let gone: AbortController

beforeEach(() => {
  sent = []
  isConnected = true
  gone = new AbortController()
})
const make = (limits: Partial<AskLimits> = {}): Asks =>
  new Asks(
    (machine, ask) => {
      sent.push([machine, ask])
      return isConnected
    },
    systemClock,
    limits,
  )
async function* given(...answers: Answer[]): AsyncIterable<Answer> {
  yield* answers
}

it('gives the answers in order and ends with them', async () => {
  const asks = make()
  const all = Array.fromAsync(asks.ask('a', question, gone.signal))
  await until(() => expect(sent).toEqual([['a', question]]))
  expect(await asks.answer('q', given(line('1'), line('2'), { kind: 'end' }))).toBe(true)
  expect(await all).toEqual([line('1'), line('2'), { kind: 'end' }])
  expect([asks.size, sent.length]).toEqual([0, 1])
})

it('refuses at once when the machine is not connected', async () => {
  isConnected = false
  const asks = make()
  await expect(Array.fromAsync(asks.ask('a', question, gone.signal))).rejects.toMatchObject({
    code: 'E_MACHINE_UNREACHABLE',
    subject: 'a',
  })
  expect(asks.size).toBe(0)
})

it('reports a machine that does not begin to answer', async () => {
  const asks = make({ beginMs: 20 })
  const all = await Array.fromAsync(asks.ask('a', question, gone.signal))
  expect(all).toEqual([{ kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: 'machine a did not answer' }])
  expect(asks.size).toBe(0)
})

it('waits for a machine that has begun its answer but has no lines yet', async () => {
  const asks = make({ beginMs: 20 })
  const all = Array.fromAsync(asks.ask('a', question, gone.signal))
  await until(() => expect(sent).toHaveLength(1))
  expect(asks.begin('q', 'a')).not.toBeNull()
  await new Promise((resolve) => setTimeout(resolve, 60)) // longer than `beginMs`
  await asks.answer('q', given(line('late')))
  expect(await all).toEqual([line('late')])
})

it('accepts answers only from the machine that was asked', async () => {
  const asks = make()
  const all = Array.fromAsync(asks.ask('a', question, gone.signal))
  await until(() => expect(sent).toHaveLength(1))
  expect(asks.begin('q', 'b')).toBeNull()
  expect(asks.begin('q', null)).toBeNull()
  expect(asks.begin('other', 'a')).toBeNull()
  await asks.answer('q', given())
  expect(await all).toEqual([])
})

it('cancels at the machine when the reader leaves, also in the middle of an answer', async () => {
  const asks = make()
  const all = Array.fromAsync(asks.ask('a', question, gone.signal))
  await until(() => expect(sent).toHaveLength(1))
  gone.abort()
  expect(await all).toEqual([])
  expect(sent.at(-1)).toEqual(['a', { kind: 'cancel', id: 'q' }])
  expect(await asks.answer('q', given(line('late')))).toBe(false)
})

it('holds the agent back while its reader is slow, and loses no line', async () => {
  const asks = make({ buffered: 10 })
  const reader = asks.ask('a', question, gone.signal)[Symbol.asyncIterator]()
  const first = reader.next()
  let produced = 0
  async function* many(): AsyncIterable<Answer> {
    for (; produced < 1_000; produced++) yield line(String(produced))
  }
  const done = asks.answer('q', many())
  expect((await first).value).toEqual(line('0'))
  await new Promise((resolve) => setTimeout(resolve, 20)) // enough time for the agent to send everything
  expect(produced).toBeLessThan(15)
  const texts = ['0']
  for (let next = await reader.next(); !next.done; next = await reader.next()) {
    if (next.value.kind === 'line') texts.push(next.value.text)
  }
  expect(texts).toEqual(Array.from({ length: 1_000 }, (_, index) => String(index)))
  expect(await done).toBe(true)
})

describe('an answer that breaks off', () => {
  it('ends with an error for the reader, after the lines that arrived', async () => {
    const asks = make()
    const all = Array.fromAsync(asks.ask('a', question, gone.signal))
    async function* broken(): AsyncIterable<Answer> {
      yield line('1')
      throw new Error('ECONNRESET')
    }
    await until(() => expect(sent).toHaveLength(1))
    await expect(asks.answer('q', broken())).rejects.toThrow('ECONNRESET')
    expect(await all).toEqual([
      line('1'),
      { kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: 'the answer of machine a broke off' },
    ])
  })

  it('is detected by its silence', async () => {
    const asks = make({ silenceMs: 20 })
    const all = Array.fromAsync(asks.ask('a', question, gone.signal))
    await until(() => expect(sent).toHaveLength(1))
    const timed = asks.begin('q', 'a')
    const never = new ReadableStream<Uint8Array>({ start: (to) => to.enqueue(Buffer.from('x')) })
    await expect(Array.fromAsync(timed?.(never) ?? [])).rejects.toThrow('no data arrived for 0.02 s')
    gone.abort()
    await all
  })
})
