import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Definition } from '../definitions/definition.ts'
import { createFakeSupervisor, type FakeSupervisor } from '../drivers/supervisor/fakeSupervisor.ts'
import type { Claimed } from '../drivers/supervisor/supervisor.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import type { InstanceLimits } from './instanceLimits.ts'
import { loopback, type Loopback } from './loopback.ts'
import { LocalInstance, type Adopted } from './localInstance.ts'
import type { ProbeResult } from './probe.ts'
import type { CommandProbe } from './probing/instanceProbe.ts'
import { TestClock } from '../lib/testing/testClock.ts'
import { aDefinition, listen, release } from './testing/given.ts'
import { VirtualClock } from '../lib/testing/virtualClock.ts'
import { until } from '../lib/testing/until.ts'

const id = 'shop-r1-a-1'
let supervisor: FakeSupervisor
let service: Awaited<ReturnType<typeof listen>>
let status: number
let instances: LocalInstance[]
let history: string[]

beforeEach(async () => {
  supervisor = createFakeSupervisor(systemClock)
  status = 200
  service = await listen(() => status)
  instances = []
  history = []
  commandAnswers = [{ ok: true }]
  closedProbers = 0
})
afterEach(async () => {
  await Promise.all(instances.map((instance) => instance.stop(async () => {})))
  await supervisor.close()
  await service.close()
})

const impatient = { health: { ...aDefinition().health, withinMs: 300 } }

interface Given {
  definition?: Partial<Definition>
  limits?: Partial<InstanceLimits>
  clock?: Clock
  loopback?: Loopback
  beforeStart?: (signal: AbortSignal) => Promise<void>
}

function start({ definition, limits, clock, loopback: asked = loopback, beforeStart }: Given = {}): LocalInstance {
  const port = service.port
  const whole = aDefinition(definition)
  const instance = new LocalInstance(
    { id, release, definition: whole },
    {
      supervisor,
      loopback: asked,
      clock: clock ?? systemClock,
      random: () => 0,
      crowd: () => 1,
      failed: () => {},
      limits: { readyProbeMs: 10, restart: { firstMs: 10, mostMs: 40 }, ...limits },
      prober: asProber,
      changed: () => history.push(`${instance.state}${instance.unstable ? ' unstable' : ''}`),
      prepareStart: async (signal) => {
        await beforeStart?.(signal)
        const { limits: bounds, stop } = whole
        const about = { id, service: 'shop', release, argv: ['x'], cwd: '/', limits: bounds, stop }
        return { spec: { ...about, env: { PORT: String(port) } }, port: whole.listen === 'none' ? null : port }
      },
    },
  )
  supervisor.onExit((exit) => instance.exited(exit))
  instances.push(instance)
  return instance
}

/** The answers of the command, the last one for ever. */
let commandAnswers: ProbeResult[]
let closedProbers: number
const asProber = (): CommandProbe => {
  const ask = async (): Promise<ProbeResult> =>
    (commandAnswers.length > 1 ? commandAnswers.shift() : commandAnswers[0]) ?? { ok: true }
  return { share: 0.5, ask, close: async () => void closedProbers++ }
}
const byCommand = { health: { ...aDefinition().health, command: ['check'] } }

const becomes = (instance: LocalInstance, state: string): Promise<void> =>
  until(() => expect(instance.state).toBe(state))

describe('an instance is ready', () => {
  it('when it is alive, owns its socket and answers', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ port: service.port, reason: null, restarts: 0, unstable: false })
    expect(history.filter((state) => state !== 'starting')).toEqual(['ready'])
  })
  it('not while another process answers on its port', async () => {
    supervisor.setProgram(() => ({ listens: false }))
    const instance = start({ definition: impatient })
    await becomes(instance, 'failed')
    expect(instance.reason).toMatch(/not ready within 0.3 s: another process answers on port \d+/)
    supervisor.setListening(id, true)
    await becomes(instance, 'ready')
  })
  it('after `delay`, without a probe before it, and also if it answers at once', async () => {
    const clock = new VirtualClock()
    let probes = 0
    const counted = {
      ...loopback,
      probe: (...about: Parameters<typeof loopback.probe>) => (probes++, loopback.probe(...about)),
    }
    const instance = start({
      clock,
      loopback: counted,
      definition: { health: { ...aDefinition().health, delayMs: 5_000 } },
    })
    await until(() => expect(supervisor.running()).toEqual([id]))
    await clock.advance(4_999)
    expect([instance.state, probes]).toEqual(['starting', 0])
    await clock.advance(1)
    await becomes(instance, 'ready')
    expect(probes).toBe(1)
  })
  it.each([404, 500, 503])('not while it answers %i, and it may still become ready after `within`', async (bad) => {
    status = bad
    const instance = start({ definition: impatient })
    await becomes(instance, 'failed')
    expect(instance.reason).toBe(`was not ready within 0.3 s: GET / answered ${bad}`)
    expect(instance.unstable).toBe(false)
    status = 302
    await becomes(instance, 'ready')
    expect(instance.reason).toBeNull()
  })
  it('not while the owner of the socket is unknown, and the agent keeps running', async () => {
    const owns = supervisor.ownsSocket.bind(supervisor)
    supervisor.ownsSocket = () => Promise.reject(new Error('no /proc here'))
    const instance = start({ definition: impatient })
    await becomes(instance, 'failed')
    expect(instance.reason).toContain('no /proc here')
    supervisor.ownsSocket = owns
    await becomes(instance, 'ready')
  })
  it('by a connection for tcp, and by running for a while if it listens on no port', async () => {
    status = 500
    await becomes(start({ definition: { listen: 'tcp' } }), 'ready')
    await instances[0]?.stop(async () => {})
    const worker = start({ definition: { listen: 'none' } })
    await becomes(worker, 'ready')
    expect(worker.port).toBeNull()
  })
})

describe('an instance fails', () => {
  it('at once when its process ends before it was ready, and reports how', async () => {
    supervisor.setProgram(() => ({ listens: false, ends: { afterMs: 5, code: 7 } }))
    const instance = start({ definition: { health: { ...aDefinition().health, withinMs: 60_000 } } })
    await becomes(instance, 'failed')
    expect(instance).toMatchObject({ reason: 'exited with status 7 before it was ready', pid: null, unstable: false })
  })
  it('stays failed while its process ends repeatedly before it is ready, until it is ready', async () => {
    supervisor.setProgram(() => ({ listens: false, ends: { afterMs: 5, code: 0 } }))
    const instance = start({ definition: { health: { ...aDefinition().health, withinMs: 60_000 } } })
    await until(() => expect(instance.restarts).toBeGreaterThanOrEqual(3))
    expect(history.slice(history.indexOf('failed'))).not.toContain('starting')
    expect(instance.reason).toBe('exited with status 0 before it was ready')
    supervisor.setProgram(() => ({}))
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ reason: null, unstable: false })
  })
  it('when it cannot be started, and is retried', async () => {
    let tries = 0
    const instance = start({
      beforeStart: async () => {
        if (++tries < 3) throw new Error('the cache is gone')
      },
    })
    await becomes(instance, 'failed')
    expect(instance.reason).toBe('could not be started: the cache is gone')
    await becomes(instance, 'ready')
    expect(tries).toBe(3)
  })
  it('names the memory limit', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    supervisor.die(id, { signal: 'SIGKILL', reason: 'oom' })
    await until(() => expect(instance.reason).toBe('was killed at its memory limit'))
  })
  it('after three consecutive misses, not two; one success restores it', async () => {
    let asked = 0
    const misses = [200, 500, 500, 200, 500, 500, 500, 200]
    await service.close()
    service = await listen(() => misses[Math.min(asked++, misses.length - 1)] ?? 200)
    const instance = start()
    await until(() => expect(asked).toBeGreaterThan(misses.length))
    expect(history.filter((state) => !state.startsWith('starting'))).toEqual([
      'ready',
      'failed unstable',
      'ready unstable',
    ])
    expect(instance.restarts).toBe(0)
  })
})

describe('a crash loop', () => {
  it('counts as one: unstable from the first end until it was healthy for ten seconds, and never given up', async () => {
    const clock = new TestClock()
    supervisor.setProgram(() => (supervisor.starts.length < 6 ? { ends: { afterMs: 30 } } : {}))
    const instance = start({ clock })
    await until(() => expect(instance.restarts).toBe(6))
    await becomes(instance, 'ready')
    expect(instance.unstable).toBe(true)
    expect(instance.reason).toBe('exited with status 0')
    clock.pass(9_999)
    const probed = history.length
    await new Promise((resolve) => setTimeout(resolve, 40)) // several probes, none of which may settle it
    expect(history.length).toBe(probed)
    clock.pass(1)
    await until(() => expect(instance.unstable).toBe(false))
    expect(instance).toMatchObject({ state: 'ready', reason: null })
    expect(history.filter((state) => state === 'ready')).toHaveLength(2)
  })
  it('has a growing delay, up to a limit', async () => {
    supervisor.setProgram(() => ({ failsStart: new Error('no') }))
    const delays: number[] = []
    const after: Clock['after'] = (ms, fire) => {
      delays.push(ms)
      return systemClock.after(ms, fire)
    }
    start({ limits: { restart: { firstMs: 20, mostMs: 80 } }, clock: { ...systemClock, after } })
    await until(() => expect(delays.length).toBeGreaterThanOrEqual(5))
    expect(delays.slice(0, 5)).toEqual([20, 40, 80, 80, 80])
  })
  it('is neither hidden nor caused by a change of the clock', async () => {
    const clock = new TestClock()
    status = 500
    const instance = start({ clock })
    await until(() => expect(history).toContain('starting'))
    clock.jump(3_600_000)
    status = 200
    await becomes(instance, 'ready')
    expect(history).not.toContain('failed')
  })
})

describe('stopping', () => {
  it('releases idle connections before the signal, and leaves nothing', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    let runningAtRelease: string[] = []
    await instance.stop(async () => {
      runningAtRelease = supervisor.running()
    })
    expect(runningAtRelease).toEqual([id])
    expect(supervisor.running()).toEqual([])
    expect(instance).toMatchObject({ state: 'stopped', pid: null })
    expect(history.slice(-2)).toEqual(['draining', 'stopped'])
  })
  it('during the fetch starts nothing', async () => {
    const gate = Promise.withResolvers<void>()
    let signal: AbortSignal | null = null
    const instance = start({
      beforeStart: (given) => {
        signal = given
        return gate.promise
      },
    })
    const stopped = instance.stop(async () => {})
    expect((signal as AbortSignal | null)?.aborted).toBe(true)
    gate.resolve()
    await stopped
    expect(supervisor.starts).toEqual([])
    expect(instance.state).toBe('stopped')
  })
  it('during the start ends the started process, and the state never goes back', async () => {
    const gate = Promise.withResolvers<void>()
    const begin = supervisor.start.bind(supervisor)
    const began = Promise.withResolvers<void>()
    supervisor.start = async (spec) => {
      began.resolve()
      await gate.promise // a driver that knows the process only once it runs
      return begin(spec)
    }
    const instance = start()
    await began.promise
    const stopped = instance.stop(async () => {})
    setImmediate(() => gate.resolve())
    await stopped
    expect(supervisor.starts).toHaveLength(1)
    expect(supervisor.running()).toEqual([])
    expect(history.slice(history.indexOf('draining'))).toEqual(['draining', 'stopped'])
  })
  it('during the delay before a restart ends the delay', async () => {
    supervisor.setProgram(() => ({ ends: { afterMs: 1 } }))
    const instance = start({ limits: { restart: { firstMs: 60_000, mostMs: 60_000 } } })
    await becomes(instance, 'failed')
    await instance.stop(async () => {})
    expect(supervisor.starts).toHaveLength(1)
  })
  it('that fails rejects, and can be retried', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    const end = supervisor.stop.bind(supervisor)
    supervisor.stop = () => Promise.reject(new Error('cannot be killed'))
    await expect(instance.stop(async () => {})).rejects.toThrow('cannot be killed')
    expect(instance.state).toBe('draining')
    supervisor.stop = end
    await instance.stop(async () => {})
    expect(instance.state).toBe('stopped')
  })
})

describe('where the supervisor restarts on its own', () => {
  const crash = { id, pid: 1, code: 1, signal: null, asked: false, reason: 'exit' as const, again: true }
  it('the agent does not restart: it waits for a report of the supervisor, is starting again, and counts', async () => {
    const instance = start({ limits: { restart: { firstMs: 1, mostMs: 1 } } })
    await becomes(instance, 'ready')
    instance.exited(crash)
    await becomes(instance, 'failed')
    expect(instance).toMatchObject({ reason: 'exited with status 1', pid: null, restarts: 1, unstable: true })
    await new Promise((resolve) => setTimeout(resolve, 30)) // many times the delay before a restart by the agent
    expect(supervisor.starts).toHaveLength(1)
    instance.restarted(4242)
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ pid: 4242, restarts: 1 })
    expect(supervisor.starts).toHaveLength(1)
  })
  it('sees an end, a start and another end that are reported at once', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    instance.exited(crash)
    instance.restarted(2)
    instance.exited({ ...crash, pid: 2, code: 9 })
    await until(() => expect(instance.restarts).toBe(2))
    expect(instance).toMatchObject({ state: 'failed', reason: 'exited with status 9' })
    instance.restarted(3)
    await becomes(instance, 'ready')
    expect(instance.pid).toBe(3)
  })
  it('stays failed after ends that are reported late, each with the next start: it was never ready', async () => {
    supervisor.setProgram(() => ({ listens: false }))
    const instance = start({ definition: { health: { ...aDefinition().health, withinMs: 60_000 } } })
    await until(() => expect(instance.pid).not.toBeNull())
    for (const pid of [2, 3, 4]) {
      instance.exited({ ...crash, code: null })
      instance.restarted(pid)
      await until(() => expect(instance.pid).toBe(pid))
      expect(instance.state).toBe('failed')
    }
    expect(instance.reason).toBe('ended with an unknown exit status before it was ready')
  })
  it('stopping does not wait for the next start', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    instance.exited(crash)
    await becomes(instance, 'failed')
    await instance.stop(async () => {})
    expect(instance.state).toBe('stopped')
  })
})

describe('an instance with a health command', () => {
  const no = { ok: false, reason: 'check exited with status 1: no' } as const

  it('is ready when the command succeeds, whatever it answers on its port', async () => {
    status = 500
    commandAnswers = [no, no, { ok: true }]
    const instance = start({ definition: byCommand })
    await becomes(instance, 'ready')
    expect(instance.probeShare).toBe(0.5)
  })

  it('is not ready while nothing listens on its port', async () => {
    supervisor.setProgram(() => ({ listens: false }))
    const closed = { ...loopback, closedPortReason: async (port: number) => `port ${port} is closed` }
    const definition = { health: { ...byCommand.health, withinMs: 100 } }
    const instance = start({ loopback: closed, definition })
    await becomes(instance, 'failed')
    expect(instance.reason).toBe(`was not ready within 0.1 s: port ${service.port} is closed`)
    supervisor.setListening(id, true)
    await becomes(instance, 'ready')
  })

  it('fails after three misses with the reason of the last, and one success puts it back', async () => {
    commandAnswers = [{ ok: true }, no, no, { ok: true }, no, no, no, no, { ok: true }]
    const instance = start({ definition: byCommand })
    await until(() => expect(history).toContain('failed unstable'))
    expect(history.filter((state) => state !== 'starting').slice(0, 2)).toEqual(['ready', 'failed unstable'])
    await becomes(instance, 'ready')
    expect(instance.reason).toBe('missed 3 probes: check exited with status 1: no')
  })

  it('that listens nowhere is ready when it has been up for `settle` and the command succeeds', async () => {
    const clock = new VirtualClock()
    commandAnswers = [no, { ok: true }]
    const health = { ...byCommand.health, settleMs: 1_000, everyMs: 500 }
    const instance = start({ clock, definition: { listen: 'none', health } })
    await until(() => expect(supervisor.running()).toEqual([id]))
    await clock.advance(1_499)
    expect(instance.state).toBe('starting')
    await clock.advance(1)
    await becomes(instance, 'ready')
    expect(commandAnswers).toEqual([{ ok: true }])
  })

  it('is asked less often while it is ready, if `every` is long, and each life has a prober of its own', async () => {
    const clock = new VirtualClock()
    const instance = start({ clock, definition: { ...byCommand, health: { ...byCommand.health, everyMs: 30_000 } } })
    await becomes(instance, 'ready')
    commandAnswers = [no, { ok: true }]
    await clock.advance(29_000)
    expect(commandAnswers).toHaveLength(2)
    await clock.advance(1_000)
    await until(() => expect(commandAnswers).toHaveLength(1))
    supervisor.die(id)
    await until(() => expect(closedProbers).toBe(1))
  })
})

describe('an instance that was adopted', () => {
  const unprepared = (): Promise<never> => Promise.reject(new Error('the disk is full'))
  const adopt = (
    claimed: Pick<Claimed, 'pid' | 'port'>,
    adopted: Adopted,
    prepareStart = unprepared,
    changed: () => void = () => {},
  ): LocalInstance => {
    const failed = (): void => {}
    supervisor.claim = () => ({ startedAt: null, restarts: 0, ...claimed })
    const instance = new LocalInstance(
      { id, release, definition: aDefinition(), adopted },
      {
        ...{ supervisor, loopback, clock: systemClock, random: () => 0, crowd: () => 1, changed },
        prepareStart,
        failed,
        prober: asProber,
      },
    )
    instances.push(instance)
    return instance
  }

  it('keeps its pid and port, and serves before it is known to be healthy; its release is not checked', async () => {
    supervisor.ownsSocket = async () => true
    const instance = adopt({ pid: 4_711, port: service.port }, 'serving')
    expect([instance.serves, instance.port]).toEqual([true, service.port])
    await instance.judged()
    expect(instance).toMatchObject({ state: 'ready', port: service.port, pid: 4_711, serves: true })
  })
  it('without traffic before gets none before it is known to be healthy', async () => {
    supervisor.ownsSocket = async () => true
    const instance = adopt({ pid: 4_711, port: service.port }, 'running')
    expect(instance.serves).toBe(false)
    await becomes(instance, 'ready')
    expect(instance.serves).toBe(true)
  })
  it('stops serving after as many misses as any other instance', async () => {
    const silent = await listen(() => 500)
    const instance = adopt({ pid: 4_711, port: silent.port }, 'serving')
    expect(instance.serves).toBe(true)
    await expect.poll(() => instance.serves).toBe(false)
    await silent.close()
  })
  it('keeps serving while only the owner of its port is unknown', async () => {
    let asked = 0
    supervisor.ownsSocket = async () => {
      if (++asked < 8) throw new Error('the privileged helper did not answer')
      return true
    }
    const changes: boolean[] = []
    const instance: LocalInstance = adopt({ pid: 4_711, port: service.port }, 'serving', unprepared, () =>
      changes.push(instance.serves),
    )
    await becomes(instance, 'ready')
    expect(asked).toBe(8)
    expect(changes).not.toContain(false)
  })
  it('that does not run is not started, and continues when the supervisor reports a restart', async () => {
    supervisor.ownsSocket = async () => true
    const instance = adopt({ pid: null, port: service.port }, 'serving')
    await instance.judged()
    expect(instance).toMatchObject({ state: 'failed', serves: false, reason: expect.stringContaining('does not run') })
    instance.restarted(4_712)
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ pid: 4_712, port: service.port })
  })
  it('is left running when the agent leaves', async () => {
    const instance = start()
    await becomes(instance, 'ready')
    await instance.leave()
    expect(supervisor.running()).toEqual([id])
    expect(history).not.toContain('draining')
  })
})
