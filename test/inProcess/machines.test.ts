import { beforeEach, describe, expect, it } from 'vitest'
import { Cluster, releaseOf } from './cluster.ts'
import { Load } from './load.ts'

let cluster: Cluster
const runs = (): string[] => cluster.runs()

beforeEach(async () => {
  cluster = await Cluster.start()
  await cluster.push('1', { instances: 2 })
})

describe('machines of a pair', () => {
  it('are drained and put back under load without a failure, and a drain of the last one is refused', async () => {
    const load = new Load(cluster)
    await cluster.clock.advance(500)
    const drain = (machine: string): Promise<unknown> =>
      cluster.call('drainMachine', { params: { machine }, body: { force: false, stop: false } })
    await drain('b')
    await cluster.until('b is drained', () => cluster.controller.state.machines['b']?.traffic === 'drained')
    const [target] = cluster.machine('b').balancer.plan?.routes ?? []
    expect(target?.targets.filter(({ state }) => state === 'active')).toEqual([])
    await expect(drain('a')).rejects.toMatchObject({
      code: 'E_LAST_INSTANCE',
      message: expect.stringContaining('shop'),
    })
    await expect(drain('c')).rejects.toMatchObject({ code: 'E_NO_SUCH_MACHINE' })
    await cluster.call('readyMachine', { params: { machine: 'b' } })
    await cluster.until(
      'b serves its own requests',
      () => cluster.machine('b').balancer.plan?.routes[0]?.targets.some(({ state }) => state === 'active') ?? false,
    )
    expect((await load.stop()).failures).toEqual([])
    expect(load.requests).toBeGreaterThan(20)
  })

  it('keep a note for the next person until it is removed; an unknown machine is refused', async () => {
    const text = 'disk is replaced on Monday, ask Ida'
    await cluster.call('noteMachine', { params: { machine: 'b' }, body: { text } })
    expect(cluster.status().notes).toMatchObject([{ machine: 'b', text }])
    await expect(cluster.call('noteMachine', { params: { machine: 'c' }, body: { text } })).rejects.toMatchObject({
      code: 'E_NO_SUCH_MACHINE',
    })
    await cluster.call('noteMachine', { params: { machine: 'b' }, body: { text: null } })
    expect(cluster.status().notes).toEqual([])
  })

  it('lose no instance and get none twice when their agent is killed; requests do not notice', async () => {
    const b = cluster.machine('b')
    const before = b.running().map(({ id }) => id)
    const load = new Load(cluster)
    const { length } = b.supervisor.starts
    b.killAgent()
    await cluster.clock.advance(3_000)
    await cluster.wait(b.startAgent())
    await cluster.rest()
    expect(b.running().map(({ id }) => id)).toEqual(before)
    expect(b.supervisor.starts).toHaveLength(length)
    expect((await load.stop()).failures).toEqual([])
    expect(runs()).toEqual(['a ready 1', 'a ready 1', 'b ready 1', 'b ready 1'])
  })

  it('start again what they ran after a power cut, also without a controller', async () => {
    const b = cluster.machine('b')
    const before = b.running().map(({ id }) => id)
    b.losePower()
    cluster.killController()
    expect(b.running()).toEqual([])
    await cluster.wait(b.startAgent())
    await cluster.until('both instances run', () => b.running().length === 2)
    expect(b.running().map(({ id }) => id)).toEqual(before)
    expect(b.balancer.plan?.routes).toHaveLength(1)
    await cluster.startController()
    await cluster.rest()
    expect(runs()).toEqual(['a ready 1', 'a ready 1', 'b ready 1', 'b ready 1'])
  })

  it('get everything again after they lost their disk', async () => {
    const b = cluster.machine('b')
    b.losePower()
    b.loseDisk()
    await cluster.wait(b.startAgent())
    await cluster.until('b serves again', () => b.balancer.plan?.routes[0]?.targets.length === 2)
    await cluster.rest()
    expect(runs()).toEqual(['a ready 1', 'a ready 1', 'b ready 1', 'b ready 1'])
    expect(b.cache.releases).toEqual([releaseOf('1')])
  })

  it('are heard after they lost their disk and their clock fell behind, and obey', async () => {
    const b = cluster.machine('b')
    b.losePower()
    b.loseDisk()
    b.behindMs = 86_400_000
    await cluster.wait(b.startAgent())
    await cluster.until('b serves again', () => b.balancer.plan?.routes[0]?.targets.length === 2)
    await cluster.rest()
    expect(runs()).toEqual(['a ready 1', 'a ready 1', 'b ready 1', 'b ready 1'])
    expect(cluster.status().machines.map(({ state }) => state)).toEqual(['ready', 'ready'])
    // The number is on the new disk: the next start comes after it.
    b.killAgent()
    await cluster.wait(b.startAgent())
    await cluster.push('2', { instances: 2 })
    expect(runs()).toEqual(['a ready 2', 'a ready 2', 'b ready 2', 'b ready 2'])
  })

  it('take an instance that stops listening out of traffic, and restart one that exits', async () => {
    const a = cluster.machine('a')
    const [deaf, other] = a.running()
    a.deafen(deaf?.id ?? '')
    await cluster.until('it is out of traffic, and reported', () =>
      cluster.instances().some(({ id, state }) => id === deaf?.id && state !== 'ready'),
    )
    const targets = (): string[] =>
      a.balancer.plan?.routes[0]?.targets.flatMap(({ instance, state }) => (state === 'active' ? [instance] : [])) ?? []
    expect(targets()).toEqual([other?.id])
    a.supervisor.die(deaf?.id ?? '', { code: 1 })
    await cluster.until('it is back', () => targets().length === 2)
  })

  it('whose disk is full keep restarting a crashed instance, start their agent with its instances, and say so', async () => {
    const a = cluster.machine('a')
    a.files.isFull = true
    const [one] = a.running()
    a.supervisor.die(one?.id ?? '', { code: 1 })
    await cluster.until('it is back', () => a.isUp(one?.id ?? ''))
    a.losePower()
    await cluster.wait(a.startAgent())
    await cluster.until('both instances run', () => a.running().length === 2)
    await cluster.until('the disk is a problem', () =>
      cluster
        .status()
        .machines.some(({ name, problems }) => name === 'a' && problems.some((text) => text.includes('no space left'))),
    )
    await cluster.rest()
    expect(runs()).toEqual(['a ready 1', 'a ready 1', 'b ready 1', 'b ready 1'])
    a.files.isFull = false
    await cluster.until('the problem is solved', () =>
      cluster.status().machines.every(({ problems }) => problems.length === 0),
    )
  })

  it('are heard at once when their disk is full and their clock fell behind, though two starts have the same number', async () => {
    const b = cluster.machine('b')
    b.files.isFull = true
    b.behindMs = 86_400_000
    const problems = (): string[] | undefined => cluster.status().machines.find(({ name }) => name === 'b')?.problems
    for (const forMs of [60_000, 10_000]) {
      b.killAgent()
      await cluster.wait(b.startAgent())
      await cluster.clock.advance(forMs)
      expect(problems()?.join()).toContain('no space left')
    }
    b.files.isFull = false
    await cluster.until('the problem is solved', () => problems()?.length === 0, 30_000)
  })

  it('obey only after they have written what they obey', async () => {
    const a = cluster.machine('a')
    a.files.isFull = true
    const release = await cluster.publish('2')
    const rollout = await cluster.start('shop', release)
    await cluster.clock.advance(5_000)
    expect(a.cache.releases).not.toContain(release)
    a.files.isFull = false
    expect(await cluster.finished(rollout?.id ?? '')).toMatchObject({ state: 'completed' })
  })
})

describe('a machine that is lost', () => {
  it('is skipped, and catches up when it returns', async () => {
    const b = cluster.machine('b')
    b.line.set({ state: 'silent' })
    await cluster.until('b is lost', () =>
      cluster.status().machines.some(({ name, state }) => name === 'b' && state === 'lost'),
    )
    const { lastSeen } = cluster.status().machines.find(({ name }) => name === 'b') ?? {}
    expect(cluster.instances().slice(1, 3)).toMatchObject([
      { machine: 'a', state: 'ready', stale: false, asOf: null },
      { machine: 'b', state: 'ready', stale: true, asOf: lastSeen },
    ])
    expect(await cluster.push('2')).toMatchObject({
      state: 'completed',
      machines: [
        { machine: 'a', state: 'done' },
        { machine: 'b', state: 'lost' },
      ],
    })
    b.line.set({ state: 'up' })
    await cluster.until('b has caught up', () => runs().join() === 'a ready 2,b ready 2')
    await cluster.rest()
    expect(b.running().map(({ release }) => release)).toEqual([releaseOf('2')])
  })

  it('keeps serving, and the other machine sends it nothing once it is known to be lost', async () => {
    const load = new Load(cluster)
    cluster.machine('b').line.set({ state: 'cut' })
    await cluster.clock.advance(60_000)
    expect((await load.stop()).failures).toEqual([])
    expect(cluster.machine('b').running()).toHaveLength(2)
  })

  it('in the middle of its turn ends neither the rollout nor the service', async () => {
    const load = new Load(cluster, { entries: ['a'] })
    const release = await cluster.publish('2')
    const rollout = await cluster.start('shop', release)
    await cluster.until('a has its turn', () =>
      cluster
        .machine('a')
        .running()
        .some((one) => one.release === release),
    )
    cluster.machine('b').losePower()
    expect(await cluster.finished(rollout?.id ?? '')).toMatchObject({ state: 'completed' })
    expect((await load.stop()).failures).toEqual([])
    await cluster.wait(cluster.machine('b').startAgent())
    await cluster.until('b has caught up', () => runs().join() === 'a ready 2,b ready 2')
  })
})
