import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { freePort } from '../../lib/freePort.ts'
import type { Family } from './families.ts'
import type { ExitStatus, InstanceSpec, LogLine, LogQuery, SupervisorDriver } from './supervisor.ts'

/**
 * The programs that the suite runs. `serves`: prints `up` once it listens on PORT and `warned` on stderr, ends at its
 * stop signal. `stubborn`: prints `up`, ignores its stop signal. `short`: prints `line 1` to `line 3` and ends with
 * status 3. `broken`: cannot be executed. `echoes`: copies its input to its output, then prints `done` on stderr,
 * without a newline, and ends with status 4.
 */
export type Behaviour = Family | 'serves' | 'stubborn' | 'short' | 'broken' | 'echoes'

export interface SupervisorUnderTest {
  driver: SupervisorDriver
  /** The argv and working directory of a program with this behaviour. */
  program(behaviour: Behaviour): Pick<InstanceSpec, 'argv' | 'cwd'>
  /** The driver of the next agent on this machine; set only where instances outlive the agent. */
  next?: () => SupervisorDriver
  /** The clock of the driver; absent: the system's. */
  clock?: Clock
  dispose(): Promise<void>
}

let shops = 0

/** The promises that every supervisor keeps, the fake included. */
export function supervisorConformance(name: string, make: () => Promise<SupervisorUnderTest>): void {
  describe(`a supervisor: ${name}`, () => {
    let tested: SupervisorUnderTest
    let driver: SupervisorDriver
    let exits: ExitStatus[]
    const clock = (): Clock => tested.clock ?? systemClock
    let ids = 0
    /** A service name for this test and this run alone: a journal keeps output longer than the driver lives. */
    let shop: string

    beforeEach(async () => {
      tested = await make()
      driver = tested.driver
      exits = []
      shop = `shop${process.pid}n${++shops}`
      await driver.recover()
      driver.onExit((exit) => exits.push(exit))
    })
    afterEach(async () => {
      await driver.close()
      await tested.dispose()
    })

    const spec = (behaviour: Behaviour, changed: Partial<InstanceSpec> = {}): InstanceSpec => {
      const id = changed.id ?? `i${++ids}-${process.pid}`
      const env = { PATH: process.env['PATH'] ?? '', TANDEM_INSTANCE: id }
      const limits = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }
      const stop = { signal: 'SIGTERM' as const, withinMs: 5_000 }
      // Where the driver itself restarts a program that ends, a program that ends on its own must set `once`.
      const once = behaviour === 'short' || behaviour === 'crashes' || behaviour === 'crashesHard'
      return { id, service: shop, release: 'r1', env, limits, stop, once, ...tested.program(behaviour), ...changed }
    }
    const withPort = async (behaviour: Behaviour): Promise<{ started: InstanceSpec; port: number }> => {
      const port = await freePort()
      const wanted = spec(behaviour)
      const started = { ...wanted, env: { ...wanted.env, PORT: String(port) } }
      await driver.start(started)
      return { started, port }
    }
    const printed = async (instance: string, text: string): Promise<void> => {
      for await (const line of driver.logs({ service: shop, instance, follow: true })) if (line.text === text) return
      throw new Error(`${instance} ended without printing ${text}`)
    }

    it('starts a program and reports it as alive', async () => {
      const { started } = await withPort('serves')
      expect(driver.isAlive(started.id)).toBe(true)
      expect(driver.isAlive('another')).toBe(false)
    })

    it('gives an attached program the streams of its caller, byte for byte, and keeps no output', async () => {
      const wanted = spec('echoes', { once: true, attached: true })
      const { streams } = await driver.start(wanted)
      if (!streams) throw new Error('no streams')
      const sent = randomBytes(3_000_001)
      const into = pipeline(Readable.from([sent.subarray(0, 1), sent.subarray(1)]), streams.stdin)
      const [out, err] = await Promise.all([bytesOf(streams.stdout), bytesOf(streams.stderr), into])
      expect(out.equals(sent)).toBe(true)
      expect(err.toString()).toBe('done')
      await expect.poll(() => exits).toMatchObject([{ id: wanted.id, code: 4, signal: null }])
      const kept = await collect(driver, { service: shop, instance: wanted.id, follow: true })
      expect(kept.filter(({ stream }) => stream !== 'tandem')).toEqual([])
    })

    it('rejects an attached program that cannot be executed, like any other program', async () => {
      const wanted = spec('broken', { once: true, attached: true })
      await expect(driver.start(wanted)).rejects.toMatchObject({ code: 'E_EXEC' })
    })

    it('rejects an id that is already running, and a start after close', async () => {
      const { started } = await withPort('serves')
      await expect(driver.start(started)).rejects.toMatchObject({ code: 'E_INSTANCE_RUNNING' })
      await driver.close()
      await expect(driver.start(spec('serves'))).rejects.toThrow('closing')
    })

    it('rejects a program that cannot be executed, and logs the reason and the fix', async () => {
      const wanted = spec('broken')
      await expect(driver.start(wanted)).rejects.toMatchObject({ code: 'E_EXEC' })
      expect(driver.isAlive(wanted.id)).toBe(false)
      expect(exits).toEqual([])
      const lines = await collect(driver, { service: shop, instance: wanted.id, follow: true })
      expect(lines.at(-1)).toMatchObject({ stream: 'tandem', text: expect.stringContaining('not started') })
    })

    it('stops an instance with the requested signal, and reports that once', async () => {
      const { started } = await withPort('serves')
      await printed(started.id, 'up')
      await Promise.all([driver.stop(started.id), driver.stop(started.id)])
      expect(driver.isAlive(started.id)).toBe(false)
      expect(exits).toEqual([
        expect.objectContaining({ id: started.id, asked: true, reason: 'stopped', signal: 'SIGTERM' }),
      ])
      await driver.stop(started.id)
      await driver.stop('never-started')
      expect(exits).toHaveLength(1)
    })

    it('kills a program that ignores the signal, but not before its grace has ended', async () => {
      const wanted = spec('stubborn', { stop: { signal: 'SIGTERM', withinMs: 300 } })
      await driver.start(wanted)
      await printed(wanted.id, 'up')
      const began = clock().monotonic()
      await driver.stop(wanted.id)
      expect(clock().monotonic() - began).toBeGreaterThanOrEqual(299)
      expect(exits).toEqual([expect.objectContaining({ signal: 'SIGKILL', code: null, reason: 'stopped' })])
    })

    it('sends the stop signal to the main process alone, then SIGTERM to the processes it left', async () => {
      const wanted = spec('family')
      await driver.start(wanted)
      await printed(wanted.id, 'child up')
      await driver.stop(wanted.id)
      const lines = await collect(driver, { service: shop, instance: wanted.id })
      const said = lines.map(({ text }) => text).filter((text) => /^(main|child) (told|ends)$/.test(text))
      expect(said).toEqual(['main told', 'main ends', 'child told'])
      expect(exits).toEqual([expect.objectContaining({ id: wanted.id, reason: 'stopped' })])
    })

    it('kills the remaining processes when the grace since the first signal has ended: the clock does not restart', async () => {
      const wanted = spec('leaves', { stop: { signal: 'SIGTERM', withinMs: 2_500 } })
      await driver.start(wanted)
      await printed(wanted.id, 'child up')
      const began = clock().monotonic()
      await driver.stop(wanted.id)
      const tookMs = clock().monotonic() - began
      expect(tookMs).toBeGreaterThanOrEqual(2_499)
      expect(tookMs).toBeLessThan(1_500 + 2_500)
      expect(driver.isAlive(wanted.id)).toBe(false)
    })

    it('also stops the processes that a crashed main process left', async () => {
      const wanted = spec('crashes')
      await driver.start(wanted)
      const lines = await collect(driver, { service: shop, instance: wanted.id, follow: true })
      expect(lines.map(({ text }) => text)).toContain('child told')
      await expect.poll(() => exits).toEqual([expect.objectContaining({ code: 3, signal: null, reason: 'exit' })])
    })

    it('reports at once that a main process crashed, while the processes it left are being stopped', async () => {
      const wanted = spec('crashesHard', { stop: { signal: 'SIGTERM', withinMs: 1_500 } })
      const seen: unknown[] = []
      driver.onMainEnd((end) => seen.push(end, driver.isAlive(end.id), exits.length))
      const { pid } = await driver.start(wanted)
      await expect.poll(() => exits.length, { timeout: 10_000 }).toBe(1)
      expect(seen).toEqual([{ id: wanted.id, pid, code: 3, signal: null, reason: 'exit' }, false, 0])
      expect(exits[0]).toMatchObject({ id: wanted.id, pid, code: 3, reason: 'exit' })
    })

    it('reports an unrequested end, with its status, after the last line', async () => {
      const wanted = spec('short')
      const ended = new Promise<LogLine[]>((resolve) => {
        driver.onExit(() => resolve(collect(driver, { service: shop, instance: wanted.id })))
      })
      const { pid } = await driver.start(wanted)
      expect((await ended).filter(({ stream }) => stream === 'out').map(({ text }) => text)).toEqual([
        'line 1',
        'line 2',
        'line 3',
      ])
      expect(exits).toEqual([{ id: wanted.id, pid, code: 3, signal: null, asked: false, reason: 'exit' }])
      expect(driver.isAlive(wanted.id)).toBe(false)
    })

    it('follows one instance to its end, whether it ends before or after', async () => {
      const wanted = spec('short')
      const follow = { service: shop, instance: wanted.id, follow: true }
      const early = collect(driver, follow)
      await driver.start(wanted)
      const texts = (await early).map(({ text }) => text)
      expect(texts).toEqual(expect.arrayContaining(['line 1', 'line 2', 'line 3']))
      expect((await collect(driver, follow)).map(({ text }) => text)).toEqual(texts)
    })

    it('finds that an instance owns the socket its process listens on, and no other', async () => {
      const { started, port } = await withPort('serves')
      await printed(started.id, 'up')
      expect(await driver.ownsSocket(started.id, port)).toBe(true)
      expect(await driver.ownsSocket(started.id, await freePort())).toBe(false)
      expect(await driver.ownsSocket('another', port)).toBe(false)
      expect(await driver.whoOwns(port)).toMatchObject({ pid: expect.any(Number), command: expect.any(String) })
      await driver.stop(started.id)
      expect(await driver.ownsSocket(started.id, port)).toBe(false)
    })

    it('returns the output of a service, of one instance, the last lines, and those since a time', async () => {
      const [first, second] = [spec('short'), spec('short', { service: 'other' })]
      for (const wanted of [first, second]) {
        await driver.start(wanted)
        await collect(driver, { service: wanted.service, instance: wanted.id, follow: true })
      }
      const all = await collect(driver, { service: shop })
      expect(new Set(all.map(({ instance }) => instance))).toEqual(new Set([first.id]))
      expect(await collect(driver, { service: shop, last: 2 })).toEqual(all.slice(-2))
      expect(await collect(driver, { service: shop, last: 0 })).toEqual([])
      const following = driver.logs({ service: shop, last: 2, follow: true })[Symbol.asyncIterator]()
      expect([(await following.next()).value, (await following.next()).value]).toEqual(all.slice(-2))
      await following.return?.()
      expect(await collect(driver, { service: shop, since: '2999-01-01T00:00:00Z' })).toEqual([])
      expect(await collect(driver, { service: shop, since: all[0]?.at })).toEqual(all)
      expect(await collect(driver, { service: shop, instance: second.id })).toEqual([])
    })

    it('follows a service across instances that start later, until aborted', async () => {
      const abort = new AbortController()
      const seen: string[] = []
      const following = (async () => {
        for await (const { instance, text } of driver.logs({ service: shop, follow: true, signal: abort.signal })) {
          if (text === 'line 3') seen.push(instance)
          if (seen.length === 2) abort.abort()
        }
      })()
      const [first, second] = [spec('short'), spec('short')]
      await driver.start(first)
      await driver.start(second)
      await following
      expect(new Set(seen)).toEqual(new Set([first.id, second.id]))
    })

    it('forgets the output of instances that are gone and keeps that of running instances', async () => {
      const gone = spec('short')
      await driver.start(gone)
      await collect(driver, { service: shop, instance: gone.id, follow: true })
      const { started } = await withPort('serves')
      await printed(started.id, 'up')
      await driver.forget(shop)
      const left = await collect(driver, { service: shop })
      expect(new Set(left.map(({ instance }) => instance))).toEqual(new Set([started.id]))
    })

    it('stops all instances in parallel when it closes, unless they outlive the agent', async () => {
      if (driver.abilities.outlivesAgent) return // below
      const stop = { signal: 'SIGTERM' as const, withinMs: 1_500 }
      for (let count = 0; count < 3; count++) {
        const wanted = spec('stubborn', { stop })
        await driver.start(wanted)
        await printed(wanted.id, 'up')
      }
      const began = clock().monotonic()
      await driver.close()
      expect(clock().monotonic() - began).toBeLessThan(3 * 1_500)
      expect(exits).toHaveLength(3)
    })

    it('leaves instances running that outlive it; the next driver adopts them without a restart and can stop them', async () => {
      if (!driver.abilities.outlivesAgent || !tested.next) return // above
      const { started, port } = await withPort('serves')
      await printed(started.id, 'up')
      const before = await driver.whoOwns(port)
      await driver.close()
      expect(exits).toEqual([])
      driver = tested.next()
      driver.onExit((exit) => exits.push(exit))
      expect((await driver.recover()).adopted).toEqual([started.id])
      expect(driver.isAlive(started.id)).toBe(true)
      expect(await driver.ownsSocket(started.id, port)).toBe(true)
      const claimed = driver.claim?.(started.id)
      expect(claimed).toMatchObject({ pid: before?.pid, port, restarts: 0 })
      expect(claimed?.startedAt).toBeGreaterThan(Date.now() - 3_600_000)
      expect(claimed?.startedAt).toBeLessThanOrEqual(Date.now() + 1)
      expect(driver.claim?.(started.id)).toBe(null)
      await expect(driver.start(started)).rejects.toMatchObject({ code: 'E_INSTANCE_RUNNING' })
      expect(await driver.whoOwns(port)).toEqual(before)
      await driver.stop(started.id)
      expect(exits).toEqual([expect.objectContaining({ id: started.id, pid: before?.pid, reason: 'stopped' })])
      expect(await driver.whoOwns(port)).toBeNull()
    })

    it('restarts an instance that ends, if the driver does so itself, and reports both events', async () => {
      if (!driver.onRestart) return
      const wanted = spec('short', { once: false })
      const restarted = new Promise<{ id: string; pid: number }>((resolve) => driver.onRestart?.(resolve))
      const { pid } = await driver.start(wanted)
      const again = await restarted
      expect(again.id).toBe(wanted.id)
      expect(again.pid).not.toBe(pid)
      expect(exits[0]).toEqual({ id: wanted.id, pid, code: 3, signal: null, asked: false, reason: 'exit', again: true })
      await driver.stop(wanted.id)
      const told = exits.length
      expect(driver.isAlive(wanted.id)).toBe(false)
      expect(await collect(driver, { service: shop, instance: wanted.id, follow: true })).not.toEqual([])
      expect(exits.length).toBe(told)
    })
  })
}

async function collect(driver: SupervisorDriver, query: LogQuery): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const line of driver.logs(query)) lines.push(line)
  return lines
}

const bytesOf = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(stream))
