import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { supervisorLimits, type SupervisorLimits } from '../limits.ts'
import { collect, eventually } from '../process/processLab.ts'
import type { LogLine } from '../supervisor.ts'
import { createInstanceLog } from './instanceLog.ts'
import { createInstanceLogs, type InstanceLogs } from './instanceLogs.ts'

let folder = ''
let logs: InstanceLogs
let now = Date.parse('2026-11-21T08:00:00.000Z')
const clock = { ...systemClock, now: () => now++, monotonic: () => now }

function open(limits: Partial<SupervisorLimits> = {}): InstanceLogs {
  return createInstanceLogs(folder, clock, { ...supervisorLimits, ...limits })
}

beforeEach(() => {
  mkdirSync(resolve('tmp'), { recursive: true })
  folder = mkdtempSync(resolve('tmp/logs-'))
  logs = open()
})
afterEach(async () => {
  await logs.close()
  rmSync(folder, { recursive: true })
})

const texts = (lines: LogLine[]): string[] => lines.map(({ text }) => text)
const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index}`)
const bytesOf = (service: string): number =>
  readdirSync(join(folder, service)).reduce((sum, name) => sum + statSync(join(folder, service, name)).size, 0)

async function write(instance: string, lines: string[], service = 'shop'): Promise<void> {
  const log = logs.open(service, instance)
  log.append('out', lines)
  await log.end()
}

async function readUntil(reader: AsyncGenerator<LogLine>, text: string): Promise<void> {
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    if (next.value.text === text) return
  }
  throw new Error(`the log ended before ${text}`)
}

describe('kept output', () => {
  it('is plain text in its file', async () => {
    const log = logs.open('shop', 'i1')
    log.append('out', ['listening'])
    log.append('err', ['a\nb'])
    await log.end()
    expect(readFileSync(join(folder, 'shop', 'i1.log'), 'utf8')).toMatch(
      /^2026-11-21T08:00:\S+Z out listening\n2026-11-21T08:00:\S+Z err a\uFFFDb\n$/,
    )
  })

  it('is merged by time over instances, including those of an earlier agent', async () => {
    const [a, b] = [logs.open('shop', 'a'), logs.open('shop', 'b')]
    for (let index = 0; index < 50; index++) (index % 3 === 0 ? a : b).append('out', [`line ${index}`])
    await Promise.all([a.end(), b.end()])
    await logs.close()
    logs = open()
    expect(texts(await collect(logs.query({ service: 'shop' })))).toEqual(numbered(50))
    expect(texts(await collect(logs.query({ service: 'shop', last: 7 })))).toEqual(numbered(7, 43))
  })

  it('returns the last lines no matter how many blocks they fill', async () => {
    await write('i1', numbered(30_000))
    for (const last of [1, 5_000, 9_999, 10_001, 29_999, 40_000]) {
      const lines = texts(await collect(logs.query({ service: 'shop', last })))
      const expected = Math.min(last, 30_000)
      expect([lines.length, lines[0], lines.at(-1)]).toEqual([expected, `line ${30_000 - expected}`, 'line 29999'])
    }
  })

  it('skips the torn last line of an agent that was killed, and reads the rest', async () => {
    await write('i1', ['whole'])
    const file = join(folder, 'shop', 'i1.log')
    appendFileSync(file, '2026-11-21T08:0')
    expect(texts(await collect(logs.query({ service: 'shop' })))).toEqual(['whole'])
    expect(texts(await collect(logs.query({ service: 'shop', last: 5 })))).toEqual(['whole'])
  })

  it('stays within two files of an instance and keeps the newest lines in order', async () => {
    await logs.close()
    logs = open({ logFileBytes: 10_000, pendingBytes: 4_000 })
    const log = logs.open('shop', 'i1')
    const reader = logs.query({ service: 'shop', instance: 'i1', follow: true })
    for (let index = 0; index < 200; index++) {
      log.append('out', numbered(10, index * 10))
      await readUntil(reader, `line ${index * 10 + 9}`)
      expect(bytesOf('shop')).toBeLessThanOrEqual(20_000)
    }
    await log.end()
    expect(readdirSync(join(folder, 'shop')).sort()).toEqual(['i1.log', 'i1.log.1'])
    const lines = texts(await collect(logs.query({ service: 'shop' })))
    expect(lines.length).toBeGreaterThan(150)
    expect(lines).toEqual(numbered(lines.length, 2000 - lines.length))
  })

  it('of gone instances is removed oldest first, by count', async () => {
    await logs.close()
    logs = open({ goneInstances: 3 })
    for (let index = 0; index < 3; index++) {
      await write(`i${index}`, ['x'])
      const past = new Date(1_700_000_000_000 + index * 1000)
      utimesSync(join(folder, 'shop', `i${index}.log`), past, past)
    }
    await write('i3', ['x'])
    await write('i4', ['x'])
    await logs.close() // waits for the sweep
    expect(readdirSync(join(folder, 'shop')).sort()).toEqual(['i2.log', 'i3.log', 'i4.log'])
  })

  it('of gone instances is removed oldest first, by the total of all services', async () => {
    await logs.close()
    logs = open({ logTotalBytes: 70_000 })
    for (const [index, service] of ['first', 'second', 'third'].entries()) {
      await write('i', numbered(700), service) // 27 kB
      const past = new Date(1_700_000_000_000 + index * 1000)
      utimesSync(join(folder, service, 'i.log'), past, past)
      await logs.close()
      logs = open({ logTotalBytes: 70_000 })
    }
    await write('i', ['x'], 'last')
    await logs.close()
    expect(readdirSync(folder).sort()).toEqual(['last', 'second', 'third'])
  })

  it('of running instances loses its older half when nothing else is left to remove', async () => {
    await logs.close()
    logs = open({ logTotalBytes: 15_000, logFileBytes: 10_000 })
    const log = logs.open('shop', 'i1')
    const reader = logs.query({ service: 'shop', instance: 'i1', follow: true })
    for (let index = 0; index < 100; index++) {
      log.append('out', numbered(10, index * 10))
      await readUntil(reader, `line ${index * 10 + 9}`)
    }
    await eventually('the kept output is within its limits', () => bytesOf('shop') <= 15_000)
    await log.end()
    expect(texts(await collect(logs.query({ service: 'shop', last: 1 })))).toEqual(['line 999'])
  })
})

describe('output that cannot be kept', () => {
  it('holds the instance back for a while when the disk stands still, then is dropped and counted', async () => {
    const stuck = Promise.withResolvers<void>()
    const published: LogLine[] = []
    const log = createInstanceLog({
      ...{ file: join(folder, 'shop', 'i1.log'), service: 'shop', instance: 'i1', clock: systemClock },
      limits: { ...supervisorLimits, pendingBytes: 1_000, holdMs: 20 },
      ...{ published: (lines) => published.push(...lines), grown: () => {} },
      write: async (_fd, _bytes, _at, length) => stuck.promise.then(() => length),
    })
    log.append('out', ['first'])
    await new Promise((resolve) => setImmediate(resolve)) // the disk has the line and accepts no more
    expect(log.full()).toBe(null)
    log.append('out', numbered(80))
    const held = log.full()
    expect(held).not.toBe(null)
    await held
    expect(log.full()).toBe(null)
    log.append('out', numbered(100, 80))
    stuck.resolve()
    await log.end()
    const kept = published.filter(({ stream }) => stream === 'out').map(({ text }) => text)
    expect(kept).toEqual(['first', ...numbered(80)])
    expect(published.at(-1)).toMatchObject({
      stream: 'tandem',
      text: '100 lines were dropped here: the disk was slower than the output for more than 0.02 s',
    })
  })

  it('is kept completely when a burst only has to wait for the disk', async () => {
    await logs.close()
    logs = open({ pendingBytes: 1_000 })
    const log = logs.open('shop', 'i1')
    for (let index = 0; index < 200; index++) {
      log.append('out', numbered(20, index * 20))
      await log.full()
    }
    await log.end()
    expect(texts(await collect(logs.query({ service: 'shop' })))).toEqual(numbered(4_000))
  })

  it.skipIf(!existsSync('/dev/full'))('is counted while the disk is full, and kept again afterwards', async () => {
    mkdirSync(join(folder, 'shop'))
    symlinkSync('/dev/full', join(folder, 'shop', 'i1.log'))
    const log = logs.open('shop', 'i1')
    const reader = logs.query({ service: 'shop', instance: 'i1', follow: true })
    log.append('out', ['one', 'two'])
    await readUntil(reader, 'two')
    log.append('out', ['three'])
    await readUntil(reader, 'three') // readers that follow receive them all the same
    rmSync(join(folder, 'shop', 'i1.log'))
    log.append('out', ['four'])
    await log.end()
    const kept = texts(await collect(logs.query({ service: 'shop' })))
    expect(kept).toEqual([expect.stringMatching(/^3 lines were lost here: ENOSPC/), 'four'])
  })
})

describe('following', () => {
  it('delivers every line once, no matter when the reader joins', async () => {
    await logs.close()
    logs = open({ logFileBytes: 20_000 })
    const log = logs.open('shop', 'i1')
    const readers: Promise<LogLine[]>[] = []
    for (let index = 0; index < 100; index++) {
      log.append('out', numbered(5, index * 5))
      if (index % 10 === 0) readers.push(collect(logs.query({ service: 'shop', instance: 'i1', follow: true })))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await log.end()
    for (const reader of readers) {
      const numbers = texts(await reader).map((text) => Number(text.slice(5)))
      expect(numbers.at(-1)).toBe(499)
      const first = numbers[0] ?? -1
      expect(numbers).toEqual(Array.from({ length: 500 - first }, (_, index) => first + index))
    }
  })

  it('uses limited memory for a reader that does not read, and reports the number of skipped lines even before the next line', async () => {
    await logs.close()
    logs = open({ followBytes: 10_000 })
    const log = logs.open('shop', 'i1')
    const reader = logs.query({ service: 'shop', instance: 'i1', follow: true })
    const first = reader.next()
    log.append('out', ['first'])
    expect((await first).value).toMatchObject({ text: 'first' })
    log.append('out', numbered(2000))
    await expect.poll(() => log.size()).toBeGreaterThan(2000 * 'line 1999'.length)
    const rest: LogLine[] = []
    // No further line comes, and the instance does not end.
    for (let line = await reader.next(); !line.done; line = await reader.next()) {
      rest.push(line.value)
      if (line.value.stream === 'tandem') break
    }
    expect(rest.length).toBeLessThan(60)
    expect(rest.at(-1)?.text).toBe(
      `${2000 - rest.length + 1} lines were skipped here: the reader is too slow (all are in the log file)`,
    )
    await log.end()
  })

  it('ends at once for an instance that has ended, even when the disk kept none of its output', async () => {
    await write('i1', ['x'])
    await write('silent', [])
    expect(texts(await collect(logs.query({ service: 'shop', instance: 'i1', follow: true })))).toEqual(['x'])
    expect(await collect(logs.query({ service: 'shop', instance: 'silent', follow: true }))).toEqual([])
  })

  it('ends when aborted or closed', async () => {
    const abort = new AbortController()
    const aborted = collect(logs.query({ service: 'shop', follow: true, signal: abort.signal }))
    abort.abort()
    expect(await aborted).toEqual([])
    expect(await collect(logs.query({ service: 'shop', follow: true, signal: abort.signal }))).toEqual([])
    const closed = collect(logs.query({ service: 'shop', follow: true }))
    await logs.close()
    expect(await closed).toEqual([])
  })
})
