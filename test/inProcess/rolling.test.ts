import { beforeEach, describe, expect, it } from 'vitest'
import type { RolloutView } from '../../src/api/views.ts'
import { Cluster, releaseOf } from './cluster.ts'
import { Load } from './load.ts'

let cluster: Cluster
let first: RolloutView

beforeEach(async () => {
  cluster = await Cluster.start()
  first = await cluster.push('1', { rollout: { strategy: 'overlap', drainMs: 20_000 } })
  expect(first).toMatchObject({ state: 'completed', previous: null })
})
const runs = (): string[] => cluster.runs()
const ids = (): string[] => cluster.instances().map(({ id }) => id)
const isIn = (rollout: string, machine: string, phase: string): boolean => {
  const of = cluster.controller.history.get(rollout)?.machines.find((one) => one.machine === machine)
  return of?.phases.some((one) => one.phase === phase && one.finishedAt === null) ?? false
}

describe('rollouts of a pair', () => {
  it('do nothing if the pushed release runs already', async () => {
    expect(await cluster.start('shop', releaseOf('1'))).toBeNull()
  })

  it('restart with new instances of the same release, under load, without a failure', async () => {
    const before = ids()
    const load = new Load(cluster)
    const restarted = await cluster.start('shop', null, { kind: 'restart' })
    expect(await cluster.finished(restarted?.id ?? '')).toMatchObject({ state: 'completed', release: releaseOf('1') })
    expect((await load.stop()).failures).toEqual([])
    expect(load.requests).toBeGreaterThan(5)
    expect(ids()).toHaveLength(2)
    expect(ids().filter((id) => before.includes(id))).toEqual([])
  })

  it('go through releases under load without a failure; a drained instance ends only when its requests are answered', async () => {
    const load = new Load(cluster, { workMs: 400 })
    for (const release of ['2', '3']) expect(await cluster.push(release)).toMatchObject({ state: 'completed' })
    expect((await load.stop()).failures).toEqual([])
    expect([...load.releases]).toEqual(['1', '2', '3'].map(releaseOf))
  })

  it('keep a request until the drain deadline, then end its instance', async () => {
    const load = new Load(cluster, { everyMs: 1e9 })
    const long = load.request('a', 60_000)
    const began = cluster.clock.monotonic()
    await cluster.push('2', { rollout: { strategy: 'overlap', drainMs: 20_000 } })
    expect(cluster.clock.monotonic() - began).toBeGreaterThanOrEqual(20_000)
    expect(cluster.clock.monotonic() - began).toBeLessThan(25_000)
    expect(await cluster.wait(long)).toBeNull()
  })

  it('roll one machine after the other, and start on each before they stop there', async () => {
    await cluster.push('2')
    const steps = cluster.events().flatMap((event) => {
      if (event.type !== 'StepStarted' || event.position < (cluster.eventsOf('RolloutStarted').at(-1)?.position ?? 0))
        return []
      return [
        `${event.data.machine} ${event.data.start.length > 0 ? 'start' : ''}${event.data.stop.length > 0 ? 'stop' : ''}`,
      ]
    })
    expect(steps.map((step) => step.split(' ')[0]).join('')).toMatch(/^a+b+$/)
    expect(steps.findIndex((step) => step.includes('a start'))).toBeLessThan(
      steps.findIndex((step) => step.includes('a stop')),
    )
  })

  it('prepare once for both machines, with the new release, before any instance starts', async () => {
    let isPrepared = false
    for (const machine of cluster.machines.values()) {
      machine.behaviour = (spec) => {
        if (spec.once) {
          expect(spec.argv).toEqual(['./migrate'])
          expect(spec.env['TANDEM_RELEASE']).toBe(releaseOf('2'))
          isPrepared = true
          return { ends: { afterMs: 2_000, code: 0 } }
        }
        expect(isPrepared).toBe(true)
        return {}
      }
    }
    expect(await cluster.push('2', { prepare: ['./migrate'] })).toMatchObject({
      state: 'completed',
      previous: releaseOf('1'),
    })
    const all = [...cluster.machines.values()].flatMap(({ supervisor }) => supervisor.starts)
    expect(all.filter(({ once }) => once)).toHaveLength(1)
  })

  it('change nothing when prepare fails', async () => {
    const before = ids()
    for (const machine of cluster.machines.values())
      machine.behaviour = ({ once }) => (once ? { ends: { afterMs: 100, code: 7 } } : {})
    const pushed = await cluster.push('2', { prepare: ['./migrate'] })
    expect(pushed).toMatchObject({ state: 'reverted' })
    expect(pushed.reason).toContain('exited with status 7')
    expect(pushed.machines.map(({ state }) => state)).toEqual(['untouched', 'untouched'])
    expect(pushed.prepare).toMatchObject({ machine: 'a', finishedAt: expect.any(String) })
    expect([ids(), runs()]).toEqual([before, ['a ready 1', 'b ready 1']])
  })

  it('run prepare no second time when its agent is killed meanwhile, and go back', async () => {
    const a = cluster.machine('a')
    a.behaviour = ({ once }) => (once ? { ends: { afterMs: 1e6, code: 0 } } : {})
    const release = await cluster.publish('2', { prepare: ['./migrate'] })
    const { id } = (await cluster.start('shop', release)) ?? { id: '' }
    await cluster.until('prepare runs', () => a.running().some(({ once }) => once))
    a.killAgent()
    await cluster.wait(a.startAgent())
    const rollout = await cluster.finished(id)
    expect(rollout.reason).toContain('prepare failed on machine a: the agent ended while prepare ran')
    expect(a.supervisor.starts.filter(({ once }) => once)).toHaveLength(1)
    expect(runs()).toEqual(['a ready 1', 'b ready 1'])
  })

  it('change from one instance to three and back', async () => {
    await cluster.push('3', { instances: 3 })
    expect(runs()).toEqual(['a', 'a', 'a', 'b', 'b', 'b'].map((machine) => `${machine} ready 3`))
    const routed = cluster.machine('a').balancer.plan?.routes.flatMap(({ targets }) => targets)
    expect(routed?.filter(({ state }) => state === 'active')).toHaveLength(3)
    await cluster.push('4')
    expect(runs()).toEqual(['a ready 4', 'b ready 4'])
  })

  it('roll back twice to the first release, and by a prefix to any published release', async () => {
    await cluster.push('2')
    const back = async (release: string | null): Promise<RolloutView> => {
      const rollout = await cluster.start('shop', release, { kind: 'rollback' })
      return cluster.finished(rollout?.id ?? '')
    }
    expect(await back(null)).toMatchObject({ state: 'completed', release: releaseOf('1'), previous: releaseOf('2') })
    expect(await back(null)).toMatchObject({ state: 'completed', release: releaseOf('2') })
    expect(await back('1')).toMatchObject({ state: 'completed', release: releaseOf('1') })
    expect(runs()).toEqual(['a ready 1', 'b ready 1'])
  })

  it('refuse to roll to an unknown release, and change nothing', async () => {
    const { length } = cluster.disk.rows
    for (const kind of ['rollback', 'deploy'] as const) {
      await expect(cluster.start('shop', 'f'.repeat(64), { kind })).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
    }
    expect(cluster.disk.rows).toHaveLength(length)
  })

  it('revert a release that exits before it is ready, and leave the other machine untouched, without a failure', async () => {
    const load = new Load(cluster)
    for (const machine of cluster.machines.values())
      machine.behaviour = ({ release }) =>
        release === releaseOf('2') ? { ends: { afterMs: 30, code: 3 }, listens: false } : {}
    const pushed = await cluster.push('2')
    expect(pushed).toMatchObject({
      state: 'reverted',
      machines: [
        { machine: 'a', state: 'reverted' },
        { machine: 'b', state: 'untouched' },
      ],
    })
    expect(pushed.reason).toContain('exited with status 3')
    expect((await load.stop()).failures).toEqual([])
    expect(JSON.stringify(cluster.status())).not.toContain(releaseOf('2'))
    expect(runs()).toEqual(['a ready 1', 'b ready 1'])
  })

  it('revert a release that never answers its probe within its time', async () => {
    for (const machine of cluster.machines.values())
      machine.behaviour = ({ release }) => (release === releaseOf('2') ? { status: 500 } : {})
    const began = cluster.clock.monotonic()
    const pushed = await cluster.push('2')
    expect(pushed.state).toBe('reverted')
    expect(pushed.reason).toContain('was not ready within 5 s: GET / answered 500')
    expect(cluster.clock.monotonic() - began).toBeGreaterThanOrEqual(5_000)
    expect(runs()).toEqual(['a ready 1', 'b ready 1'])
  })

  it('revert both machines when the second fails, without a failure', async () => {
    const load = new Load(cluster)
    cluster.machine('b').behaviour = ({ release }) =>
      release === releaseOf('2') ? { ends: { afterMs: 30, code: 4 }, listens: false } : {}
    const pushed = await cluster.push('2')
    expect(pushed.state).toBe('reverted')
    expect(pushed.machines.map(({ state }) => state)).toEqual(['reverted', 'reverted'])
    expect((await load.stop()).failures).toEqual([])
    expect(runs()).toEqual(['a ready 1', 'b ready 1'])
  })

  it('roll one service only once at a time, but two services in parallel', async () => {
    for (const machine of cluster.machines.values())
      machine.behaviour = ({ release }) => ({ bootMs: release === releaseOf('2') ? 3_000 : 0 })
    const release = await cluster.publish('2')
    const { id } = (await cluster.start('shop', release)) ?? { id: '' }
    await cluster.until('a probes', () => isIn(id, 'a', 'probe'))
    await expect(cluster.start('shop', null, { kind: 'restart' })).rejects.toThrow(id)
    await expect(cluster.start('shop', null, { kind: 'restart' })).rejects.toMatchObject({
      code: 'E_ROLLOUT_IN_PROGRESS',
    })
    expect(await cluster.push('c', { service: 'cart', routes: [{ host: 'cart.example', path: '/' }] })).toMatchObject({
      state: 'completed',
    })
    expect(cluster.controller.history.get(id)?.finishedAt).toBeNull()
    expect(await cluster.finished(id)).toMatchObject({ state: 'completed' })
  })

  it('refuse a route that another service holds, naming it', async () => {
    const routes = [{ host: 'cart.example', path: '/api' }]
    await cluster.push('c', { service: 'cart', routes })
    const release = await cluster.publish('d', { service: 'thief', routes })
    await expect(cluster.start('thief', release)).rejects.toMatchObject({
      code: 'E_ROUTE_TAKEN',
      message: expect.stringContaining('cart'),
    })
    expect(cluster.status().services.map(({ service }) => service)).not.toContain('thief')
  })

  it('apply changed routes on every machine, and drop the old ones when no instance has them', async () => {
    const hosts = (name: string): unknown[] =>
      cluster
        .machine(name)
        .balancer.plan?.routes.map((route) => (route.kind === 'http' ? route.host : route.own.port)) ?? []
    await cluster.push('c1', { service: 'cart', routes: [{ host: 'old.example', path: '/' }] })
    await cluster.push('c2', { service: 'cart', routes: [{ host: 'new.example', path: '/' }] })
    await cluster.rest()
    for (const machine of ['a', 'b']) {
      expect(hosts(machine)).toContain('new.example')
      expect(hosts(machine)).not.toContain('old.example')
    }
  })

  it('fetch on every machine before the first turn, and tell why a release cannot be fetched', async () => {
    cluster.machine('b').cache.unfetchable.add(releaseOf('2'))
    const pushed = await cluster.push('2')
    expect(pushed).toMatchObject({ state: 'reverted', machines: [{ state: 'untouched' }, { state: 'untouched' }] })
    expect(pushed.reason).toContain('hash mismatch')
    expect(cluster.machine('a').supervisor.starts.map(({ release }) => release)).toEqual([releaseOf('1')])
  })
})

describe('an abort in the middle of a rollout', () => {
  const allBack = ['a ready 1', 'b ready 1']

  async function abortWhen(what: string, holds: (id: string) => boolean, over = {}): Promise<RolloutView> {
    const release = await cluster.publish('2', over)
    const { id } = (await cluster.start('shop', release)) ?? { id: '' }
    await cluster.until(what, () => holds(id))
    await cluster.call('abortRollout', { params: { id: id.slice(0, 8) } })
    return cluster.finished(id)
  }

  it('during fetch', async () => {
    cluster.machine('b').cache.fetchMs = 20_000
    expect((await abortWhen('b fetches', (id) => isIn(id, 'b', 'fetch'))).state).toBe('aborted')
    expect(runs()).toEqual(allBack)
  })

  it('during prepare, which is stopped', async () => {
    for (const machine of cluster.machines.values())
      machine.behaviour = ({ once }) => (once ? { ends: { afterMs: 1e6, code: 0 } } : {})
    const prepares = (): boolean => [...cluster.machines.values()].some((one) => one.running().some(({ once }) => once))
    expect((await abortWhen('prepare runs', prepares, { prepare: ['./migrate'] })).state).toBe('aborted')
    await cluster.until('prepare has ended', () => !prepares(), 5_000)
    expect(runs()).toEqual(allBack)
  })

  it('during the start on the second machine, when the first is done', async () => {
    const { line } = cluster.machine('b')
    const release = await cluster.publish('2')
    const { id } = (await cluster.start('shop', release)) ?? { id: '' }
    await cluster.until('a is done', () => cluster.eventsOf('TurnFinished').some(({ data }) => data.rollout === id))
    line.set({ delayMs: 500 })
    await cluster.until('b starts', () => isIn(id, 'b', 'start'))
    await cluster.call('abortRollout', { params: { id } })
    expect((await cluster.finished(id)).state).toBe('aborted')
    expect(runs()).toEqual(allBack)
  })

  it('during probe', async () => {
    for (const machine of cluster.machines.values())
      machine.behaviour = ({ release }) => (release === releaseOf('2') ? { status: 500 } : {})
    expect((await abortWhen('a probes', (id) => isIn(id, 'a', 'probe'))).state).toBe('aborted')
    expect(runs()).toEqual(allBack)
  })

  it('during drain: the same instance finishes the request in progress, and takes traffic again', async () => {
    const before = ids()
    const load = new Load(cluster, { everyMs: 1e9 })
    const held = load.request('a', 10_000)
    expect((await abortWhen('a drains', (id) => isIn(id, 'a', 'drain'))).state).toBe('aborted')
    expect(await cluster.wait(held)).toBe(releaseOf('1'))
    expect(ids()).toEqual(before)
    expect(runs()).toEqual(allBack)
  })
})
