import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../lib/clock.ts'
import { TestClock } from '../lib/testing/testClock.ts'
import { until } from '../lib/testing/until.ts'
import { VirtualClock } from '../lib/testing/virtualClock.ts'
import { loopback } from './loopback.ts'
import { aDefinition, listen } from './testing/given.ts'
import { becomes, id, openInstanceStage, type InstanceStage } from './testing/instanceStage.ts'

let stage: InstanceStage
beforeEach(async () => {
  stage = await openInstanceStage()
})
afterEach(() => stage.close())

const impatient = { health: { ...aDefinition().health, withinMs: 300 } }

describe('an instance is ready', () => {
  it('when it is alive, owns its socket and answers', async () => {
    const instance = stage.start()
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ port: stage.service.port, reason: null, restarts: 0, unstable: false })
    expect(stage.history.filter((state) => state !== 'starting')).toEqual(['ready'])
  })
  it('not while another process answers on its port', async () => {
    stage.supervisor.setProgram(() => ({ listens: false }))
    const instance = stage.start({ definition: impatient })
    await becomes(instance, 'failed')
    expect(instance.reason).toMatch(/not ready within 0.3 s: another process answers on port \d+/)
    stage.supervisor.setListening(id, true)
    await becomes(instance, 'ready')
  })
  it('after `delay`, without a probe before it, and also if it answers at once', async () => {
    const clock = new VirtualClock()
    let probes = 0
    const counted = {
      ...loopback,
      probe: (...about: Parameters<typeof loopback.probe>) => (probes++, loopback.probe(...about)),
    }
    const instance = stage.start({
      clock,
      loopback: counted,
      definition: { health: { ...aDefinition().health, delayMs: 5_000 } },
    })
    await until(() => expect(stage.supervisor.running()).toEqual([id]))
    await clock.advance(4_999)
    expect([instance.state, probes]).toEqual(['starting', 0])
    await clock.advance(1)
    await becomes(instance, 'ready')
    expect(probes).toBe(1)
  })
  it.each([404, 500, 503])('not while it answers %i, and it may still become ready after `within`', async (bad) => {
    stage.status = bad
    const instance = stage.start({ definition: impatient })
    await becomes(instance, 'failed')
    expect(instance.reason).toBe(`was not ready within 0.3 s: GET / answered ${bad}`)
    expect(instance.unstable).toBe(false)
    stage.status = 302
    await becomes(instance, 'ready')
    expect(instance.reason).toBeNull()
  })
  it('not while the owner of the socket is unknown, and the agent keeps running', async () => {
    const owns = stage.supervisor.ownsSocket.bind(stage.supervisor)
    stage.supervisor.ownsSocket = () => Promise.reject(new Error('no /proc here'))
    const instance = stage.start({ definition: impatient })
    await becomes(instance, 'failed')
    expect(instance.reason).toContain('no /proc here')
    stage.supervisor.ownsSocket = owns
    await becomes(instance, 'ready')
  })
  it('by a connection for tcp, and by running for a while if it listens on no port', async () => {
    stage.status = 500
    await becomes(stage.start({ definition: { listen: 'tcp' } }), 'ready')
    await stage.instances[0]?.stop(async () => {})
    const worker = stage.start({ definition: { listen: 'none' } })
    await becomes(worker, 'ready')
    expect(worker.port).toBeNull()
  })
})

describe('an instance fails', () => {
  it('at once when its process ends before it was ready, and reports how', async () => {
    stage.supervisor.setProgram(() => ({ listens: false, ends: { afterMs: 5, code: 7 } }))
    const instance = stage.start({ definition: { health: { ...aDefinition().health, withinMs: 60_000 } } })
    await becomes(instance, 'failed')
    expect(instance).toMatchObject({ reason: 'exited with status 7 before it was ready', pid: null, unstable: false })
  })
  it('stays failed while its process ends repeatedly before it is ready, until it is ready', async () => {
    stage.supervisor.setProgram(() => ({ listens: false, ends: { afterMs: 5, code: 0 } }))
    const instance = stage.start({ definition: { health: { ...aDefinition().health, withinMs: 60_000 } } })
    await until(() => expect(instance.restarts).toBeGreaterThanOrEqual(3))
    expect(stage.history.slice(stage.history.indexOf('failed'))).not.toContain('starting')
    expect(instance.reason).toBe('exited with status 0 before it was ready')
    stage.supervisor.setProgram(() => ({}))
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ reason: null, unstable: false })
  })
  it('when it cannot be started, and is retried', async () => {
    let tries = 0
    const instance = stage.start({
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
    const instance = stage.start()
    await becomes(instance, 'ready')
    stage.supervisor.die(id, { signal: 'SIGKILL', reason: 'oom' })
    await until(() => expect(instance.reason).toBe('was killed at its memory limit'))
  })
  it('after three consecutive misses, not two; one success restores it', async () => {
    let asked = 0
    const misses = [200, 500, 500, 200, 500, 500, 500, 200]
    await stage.service.close()
    stage.service = await listen(() => misses[Math.min(asked++, misses.length - 1)] ?? 200)
    const instance = stage.start()
    await until(() => expect(asked).toBeGreaterThan(misses.length))
    expect(stage.history.filter((state) => !state.startsWith('starting'))).toEqual([
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
    stage.supervisor.setProgram(() => (stage.supervisor.starts.length < 6 ? { ends: { afterMs: 30 } } : {}))
    const instance = stage.start({ clock })
    await until(() => expect(instance.restarts).toBe(6))
    await becomes(instance, 'ready')
    expect(instance.unstable).toBe(true)
    expect(instance.reason).toBe('exited with status 0')
    clock.pass(9_999)
    const probed = stage.history.length
    await new Promise((resolve) => setTimeout(resolve, 40)) // several probes, none of which may settle it
    expect(stage.history.length).toBe(probed)
    clock.pass(1)
    await until(() => expect(instance.unstable).toBe(false))
    expect(instance).toMatchObject({ state: 'ready', reason: null })
    expect(stage.history.filter((state) => state === 'ready')).toHaveLength(2)
  })
  it('has a growing delay, up to a limit', async () => {
    stage.supervisor.setProgram(() => ({ failsStart: new Error('no') }))
    const delays: number[] = []
    const after: Clock['after'] = (ms, fire) => {
      delays.push(ms)
      return systemClock.after(ms, fire)
    }
    stage.start({ limits: { restart: { firstMs: 20, mostMs: 80 } }, clock: { ...systemClock, after } })
    await until(() => expect(delays.length).toBeGreaterThanOrEqual(5))
    expect(delays.slice(0, 5)).toEqual([20, 40, 80, 80, 80])
  })
  it('is neither hidden nor caused by a change of the clock', async () => {
    const clock = new TestClock()
    stage.status = 500
    const instance = stage.start({ clock })
    await until(() => expect(stage.history).toContain('starting'))
    clock.jump(3_600_000)
    stage.status = 200
    await becomes(instance, 'ready')
    expect(stage.history).not.toContain('failed')
  })
})

describe('stopping', () => {
  it('releases idle connections before the signal, and leaves nothing', async () => {
    const instance = stage.start()
    await becomes(instance, 'ready')
    let runningAtRelease: string[] = []
    await instance.stop(async () => {
      runningAtRelease = stage.supervisor.running()
    })
    expect(runningAtRelease).toEqual([id])
    expect(stage.supervisor.running()).toEqual([])
    expect(instance).toMatchObject({ state: 'stopped', pid: null })
    expect(stage.history.slice(-2)).toEqual(['draining', 'stopped'])
  })
  it('during the fetch starts nothing', async () => {
    const gate = Promise.withResolvers<void>()
    let signal: AbortSignal | null = null
    const instance = stage.start({
      beforeStart: (given) => {
        signal = given
        return gate.promise
      },
    })
    const stopped = instance.stop(async () => {})
    expect((signal as AbortSignal | null)?.aborted).toBe(true)
    gate.resolve()
    await stopped
    expect(stage.supervisor.starts).toEqual([])
    expect(instance.state).toBe('stopped')
  })
  it('during the start ends the started process, and the state never goes back', async () => {
    const gate = Promise.withResolvers<void>()
    const begin = stage.supervisor.start.bind(stage.supervisor)
    const began = Promise.withResolvers<void>()
    stage.supervisor.start = async (spec) => {
      began.resolve()
      await gate.promise // a driver that knows the process only once it runs
      return begin(spec)
    }
    const instance = stage.start()
    await began.promise
    const stopped = instance.stop(async () => {})
    setImmediate(() => gate.resolve())
    await stopped
    expect(stage.supervisor.starts).toHaveLength(1)
    expect(stage.supervisor.running()).toEqual([])
    expect(stage.history.slice(stage.history.indexOf('draining'))).toEqual(['draining', 'stopped'])
  })
  it('during the delay before a restart ends the delay', async () => {
    stage.supervisor.setProgram(() => ({ ends: { afterMs: 1 } }))
    const instance = stage.start({ limits: { restart: { firstMs: 60_000, mostMs: 60_000 } } })
    await becomes(instance, 'failed')
    await instance.stop(async () => {})
    expect(stage.supervisor.starts).toHaveLength(1)
  })
  it('that fails rejects, and can be retried', async () => {
    const instance = stage.start()
    await becomes(instance, 'ready')
    const end = stage.supervisor.stop.bind(stage.supervisor)
    stage.supervisor.stop = () => Promise.reject(new Error('cannot be killed'))
    await expect(instance.stop(async () => {})).rejects.toThrow('cannot be killed')
    expect(instance.state).toBe('draining')
    stage.supervisor.stop = end
    await instance.stop(async () => {})
    expect(instance.state).toBe('stopped')
  })
})

describe('where the supervisor restarts on its own', () => {
  const crash = { id, pid: 1, code: 1, signal: null, asked: false, reason: 'exit' as const, again: true }
  it('the agent does not restart: it waits for a report of the supervisor, is starting again, and counts', async () => {
    const instance = stage.start({ limits: { restart: { firstMs: 1, mostMs: 1 } } })
    await becomes(instance, 'ready')
    instance.exited(crash)
    await becomes(instance, 'failed')
    expect(instance).toMatchObject({ reason: 'exited with status 1', pid: null, restarts: 1, unstable: true })
    await new Promise((resolve) => setTimeout(resolve, 30)) // many times the delay before a restart by the agent
    expect(stage.supervisor.starts).toHaveLength(1)
    instance.restarted(4242)
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ pid: 4242, restarts: 1 })
    expect(stage.supervisor.starts).toHaveLength(1)
  })
  it('the agent starts the instance if the supervisor cannot', async () => {
    const instance = stage.start({ limits: { restart: { firstMs: 1, mostMs: 1 } } })
    await becomes(instance, 'ready')
    instance.exited(crash)
    await becomes(instance, 'failed')
    stage.supervisor.die(id, { code: 1 })
    instance.notRestarted()
    await until(() => expect(stage.supervisor.starts).toHaveLength(2))
    await becomes(instance, 'ready')
  })
  it('also after an end, a start and another end that are reported at once with that', async () => {
    const instance = stage.start({ limits: { restart: { firstMs: 1, mostMs: 1 } } })
    await becomes(instance, 'ready')
    instance.exited(crash)
    instance.restarted(2)
    instance.exited({ ...crash, pid: 2 })
    stage.supervisor.die(id, { code: 1 })
    instance.notRestarted()
    await until(() => expect(stage.supervisor.starts).toHaveLength(2))
    await becomes(instance, 'ready')
  })
  it('sees an end, a start and another end that are reported at once', async () => {
    const instance = stage.start()
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
    stage.supervisor.setProgram(() => ({ listens: false }))
    const instance = stage.start({ definition: { health: { ...aDefinition().health, withinMs: 60_000 } } })
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
    const instance = stage.start()
    await becomes(instance, 'ready')
    instance.exited(crash)
    await becomes(instance, 'failed')
    await instance.stop(async () => {})
    expect(instance.state).toBe('stopped')
  })
})
