import { beforeEach, describe, expect, it } from 'vitest'
import { Cluster, releaseOf } from './cluster.ts'
import { Load } from './load.ts'

let cluster: Cluster
const replace = { rollout: { strategy: 'replace', drainMs: 200 } } as const

beforeEach(async () => {
  cluster = await Cluster.start({ machines: 1 })
  await cluster.push('1')
})

describe('a single machine', () => {
  it('refuses to replace its last ready instance, and changes nothing', async () => {
    const before = cluster.instances().map(({ id }) => id)
    const release = await cluster.publish('2', replace)
    await expect(cluster.start('shop', release)).rejects.toMatchObject({ code: 'E_OUTAGE' })
    expect(cluster.instances().map(({ id }) => id)).toEqual(before)
  })

  it('replaces it with --allow-outage: never two at a time, and requests wait until the new instance is ready', async () => {
    const machine = cluster.machine('a')
    machine.behaviour = () => ({ bootMs: 700 })
    const load = new Load(cluster)
    const release = await cluster.publish('2', replace)
    const { id } = (await cluster.start('shop', release, { allowOutage: true })) ?? { id: '' }
    let most = 0
    await cluster.until('the end of the rollout', () => {
      most = Math.max(most, machine.running().length)
      return cluster.controller.history.get(id)?.state === 'completed'
    })
    expect(most).toBe(1)
    expect((await load.stop()).failures).toEqual([])
    expect([...load.releases]).toEqual([releaseOf('1'), releaseOf('2')])
    expect(load.longestMs).toBeGreaterThan(500)
    const phases = cluster.controller.history.get(id)?.machines[0]?.phases.map(({ phase }) => phase) ?? []
    expect(phases.indexOf('stop')).toBeLessThan(phases.indexOf('start'))
  })

  it('shows a crash loop outside a rollout once in status and events, and continues to restart', async () => {
    const machine = cluster.machine('a')
    const [instance] = machine.running()
    const crash = (): void => machine.supervisor.die(instance?.id ?? '', { code: 5 })
    crash()
    await cluster.until(
      'the instance is back',
      () => machine.isUp(instance?.id ?? '') && cluster.instances()[0]?.state === 'ready',
    )
    const { position } = cluster.controller.state
    // A single crash is no loop; from here on, the instance never comes up again.
    machine.behaviour = () => ({ ends: { afterMs: 10, code: 9 }, listens: false })
    crash()
    await cluster.until('the crash loop is reported', () => (cluster.instances()[0]?.restarts ?? 0) >= 5)
    expect(cluster.instances()[0]?.reason).toContain('status 9')
    const loops = cluster.eventsOf('InstanceFailed').filter((event) => event.position > position)
    expect(loops.length).toBeLessThanOrEqual(1)
    machine.behaviour = () => ({})
    await cluster.until('the instance is healthy again', () => cluster.instances()[0]?.state === 'ready')
  })

  it('waits longer before each restart of a crash loop, up to a limit', async () => {
    const machine = cluster.machine('a')
    machine.behaviour = () => ({ ends: { afterMs: 0, code: 9 }, listens: false })
    machine.supervisor.die(machine.running()[0]?.id ?? '')
    await cluster.clock.advance(60_000)
    const soon = machine.supervisor.starts.length
    await cluster.clock.advance(600_000)
    const later = (machine.supervisor.starts.length - soon) / 10
    expect(later).toBeGreaterThanOrEqual(1)
    expect(later).toBeLessThan(soon)
  })

  it('stops, starts and removes a service, and keeps the data without removeData', async () => {
    const change = async (kind: 'stop' | 'start' | 'remove', removeData = false): Promise<string | null> => {
      const rollout = await cluster.start('shop', null, { kind, removeData })
      return rollout && (await cluster.finished(rollout.id)).state
    }
    const machine = cluster.machine('a')
    expect(await change('stop')).toBe('completed')
    expect([cluster.instances(), machine.running()]).toEqual([[], []])
    expect(await change('stop')).toBeNull()
    expect(await change('start')).toBe('completed')
    expect(machine.running().map(({ release }) => release)).toEqual([releaseOf('1')])
    expect(await change('remove')).toBe('completed')
    await cluster.rest()
    expect(cluster.status().services).toEqual([])
    expect([machine.balancer.plan?.routes, machine.running(), machine.removedData]).toEqual([[], [], []])
    await cluster.push('5')
    await change('remove', true)
    await cluster.until('the data is removed', () => machine.removedData.includes('shop'), 60_000)
  })
})
