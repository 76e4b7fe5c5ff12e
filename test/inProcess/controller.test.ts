import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { adoptWhenRestored, whyWaiting } from '../../src/controller/restored.ts'
import { makeFolder } from '../../src/controller/testing/given.ts'
import { Cluster, releaseOf } from './cluster.ts'
import { Load } from './load.ts'

let cluster: Cluster
const runs = (): string[] => cluster.runs()

beforeEach(async () => {
  cluster = await Cluster.start()
  await cluster.push('1')
})

describe('a controller that is killed', () => {
  it('at any moment of a rollout resumes it, and no request fails', async () => {
    const load = new Load(cluster)
    for (let version = 2; version <= 16; version++) {
      const release = await cluster.publish(String(version))
      const { id } = (await cluster.start('shop', release)) ?? { id: '' }
      await cluster.clock.advance(Math.floor(cluster.random() * 800))
      cluster.killController()
      await cluster.clock.advance(Math.floor(cluster.random() * 20_000))
      await cluster.startController()
      expect(await cluster.finished(id), `version ${version}`).toMatchObject({ state: 'completed' })
      await cluster.rest()
      expect(runs()).toEqual([`a ready ${version}`, `b ready ${version}`])
    }
    expect((await load.stop()).failures).toEqual([])
    expect([...load.releases].at(-1)).toBe(releaseOf('16'))
  })

  it('at once after an append, of which nobody heard, knows the event and carries on', async () => {
    const release = await cluster.publish('2')
    const before = cluster.disk.rows.length
    void cluster.controller.execute({
      ...{ type: 'StartRollout', rollout: 'r', service: 'shop', kind: 'deploy', release },
      ...{ allowOutage: false, removeData: false },
    })
    await cluster.until('the append', () => cluster.disk.rows.length > before)
    cluster.killController()
    await cluster.startController()
    expect(await cluster.finished('r')).toMatchObject({ state: 'completed' })
  })

  it('leaves services serving, restarting and failing over', async () => {
    cluster.killController()
    const load = new Load(cluster)
    const a = cluster.machine('a')
    await cluster.clock.advance(120_000)
    expect((await load.stop()).failures).toEqual([])
    const [one] = a.running()
    a.supervisor.die(one?.id ?? '')
    await cluster.until('the instance is back', () => a.isUp(one?.id ?? ''))
  })

  it('does not take machines for lost that could not report to it', async () => {
    cluster.killController()
    await cluster.clock.advance(3_600_000)
    await cluster.startController()
    await cluster.rest()
    expect(cluster.eventsOf('MachineLost')).toEqual([])
  })
})

describe('a controller whose clock jumps', () => {
  it.each([3_600_000, -3_600_000])('by %i ms decides nothing by the jump', async (ms) => {
    for (const machine of cluster.machines.values()) machine.behaviour = () => ({ bootMs: 3_000 })
    const release = await cluster.publish('2')
    const { id } = (await cluster.start('shop', release)) ?? { id: '' }
    await cluster.clock.advance(1_000)
    cluster.clock.jump(ms)
    expect(await cluster.finished(id)).toMatchObject({ state: 'completed' })
    expect(cluster.eventsOf('MachineLost')).toEqual([])
    expect(cluster.eventsOf('ClockRestarted').length).toBeGreaterThan(0)
  })

  it('or stands still decides nothing by the time it slept', async () => {
    cluster.clock.stall(600_000)
    await cluster.rest()
    expect(cluster.eventsOf('MachineLost')).toEqual([])
  })
})

describe('an event log on a full disk', () => {
  it('refuses changes while services run, and accepts them again', async () => {
    cluster.isDiskFull = true
    await expect(cluster.publish('2')).rejects.toMatchObject({ code: 'E_LOG_UNWRITABLE' })
    await cluster.clock.advance(60_000)
    expect(runs()).toEqual(['a ready 1', 'b ready 1'])
    cluster.isDiskFull = false
    expect(await cluster.push('2')).toMatchObject({ state: 'completed' })
  })
})

describe('an event log that was restored from a backup', () => {
  it('is refused by the machines, which continue to serve; recovering adopts their services and changes nothing', async () => {
    const backup = [...cluster.disk.rows]
    await cluster.push('2')
    const before = cluster.instances().map(({ id, pid }) => [id, pid])
    cluster.killController()
    cluster.disk.rows.splice(0, Number.POSITIVE_INFINITY, ...backup)
    await cluster.startController()
    await cluster.until('both machines refuse', () =>
      cluster.status().machines.every(({ problems }) => problems.length > 0),
    )
    expect(cluster.status().machines.map(({ problems }) => problems[0])).toEqual(
      ['a', 'b'].map(() => expect.stringContaining('restored from a backup')),
    )
    await expect(cluster.start('shop', null, { kind: 'restart' })).rejects.toMatchObject({
      code: 'E_LOG_BEHIND',
      next: expect.stringContaining('tandem controller recover'),
    })
    const load = new Load(cluster)
    await cluster.call('recover', {})
    await cluster.until('both machines obey', () =>
      cluster.status().machines.every(({ problems }) => problems.length === 0),
    )
    await cluster.rest()
    expect(cluster.instances().map(({ id, pid }) => [id, pid])).toEqual(before)
    expect(await cluster.push('3')).toMatchObject({ state: 'completed' })
    expect((await load.stop()).failures).toEqual([])
  })

  it('adopts by itself what the machines run, once all have reported, and changes nothing before', async () => {
    const backup = [...cluster.disk.rows]
    await cluster.push('2')
    const before = cluster.instances().map(({ id, pid }) => [id, pid])
    cluster.killController()
    const former = [...cluster.disk.rows]
    cluster.disk.rows.splice(0, Number.POSITIVE_INFINITY, ...backup)
    cluster.machine('b').line.set({ state: 'cut' })
    await cluster.startController('rescue')
    const { controller } = cluster
    const folder = makeFolder('restored')
    onTestFinished(() => folder.remove())
    writeFileSync(join(folder.path, 'restored.json'), '{"id":"rescue"}')
    const stop = adoptWhenRestored(controller, folder.path, pino({ level: 'silent' }))
    onTestFinished(stop)
    await cluster.clock.advance(60_000)
    const { position, terms } = controller.state
    expect([terms.at(-1)?.recovered, whyWaiting(controller)]).toEqual([
      false,
      expect.stringContaining('machine b has not reported'),
    ])
    await expect(cluster.start('shop', null, { kind: 'restart' })).rejects.toMatchObject({ code: 'E_LOG_BEHIND' })
    expect(controller.state.position).toBe(position)

    const load = new Load(cluster)
    cluster.machine('b').line.set({ state: 'up' })
    await cluster.until('the note is gone', () => !existsSync(join(folder.path, 'restored.json')))
    await cluster.until('both machines obey', () =>
      cluster.status().machines.every(({ problems }) => problems.length === 0),
    )
    expect(controller.state.terms.at(-1)).toMatchObject({ id: 'rescue', recovered: true })
    expect(whyWaiting(controller)).toBe(null)
    await cluster.rest()
    expect(cluster.instances().map(({ id, pid }) => [id, pid])).toEqual(before)
    expect(await cluster.push('3')).toMatchObject({ state: 'completed' })
    expect((await load.stop()).failures).toEqual([])

    // The former controller still runs somewhere, and the machines reach it again.
    cluster.killController()
    cluster.disk.rows.splice(0, Number.POSITIVE_INFINITY, ...former)
    await cluster.startController()
    await cluster.until('both machines refuse', () =>
      cluster.status().machines.every(({ problems }) => problems.length > 0),
    )
    for (const machine of cluster.machines.values())
      expect(machine.running().map(({ release }) => release)).toEqual([releaseOf('3')])
    await expect(cluster.start('shop', null, { kind: 'restart' })).rejects.toMatchObject({ code: 'E_LOG_BEHIND' })
  })

  it('is recovered without a machine that is gone for good, which can then be removed', async () => {
    const backup = [...cluster.disk.rows]
    await cluster.push('2')
    cluster.killController()
    cluster.disk.rows.splice(0, Number.POSITIVE_INFINITY, ...backup)
    cluster.machine('b').line.set({ state: 'cut' })
    await cluster.startController('rescue')
    const running = () =>
      cluster
        .machine('a')
        .running()
        .map(({ release, id }) => [release, id])
    const before = running()
    await cluster.until('a refuses', () => cluster.status().machines.some(({ problems }) => problems.length > 0))
    const recover = (...without: string[]) => cluster.call('recover', { body: { without } })
    await expect(recover()).rejects.toMatchObject({ next: expect.stringContaining('recover --without b') })
    await expect(recover('z')).rejects.toMatchObject({ code: 'E_NO_SUCH_MACHINE' })
    await expect(recover('a', 'b')).rejects.toMatchObject({ code: 'E_USAGE' })
    expect(await recover('b')).toMatchObject({ adopted: ['a'] })
    await cluster.until('b is lost', () => cluster.controller.state.machines['b']?.lost === true)
    await cluster.rest()
    expect(running()).toEqual(before)
    expect(await cluster.push('3')).toMatchObject({ state: 'completed' })
  })

  it('is refused also when it has grown beyond the position that the machines know', async () => {
    const backup = [...cluster.disk.rows]
    cluster.killController()
    await cluster.startController()
    await cluster.push('2')
    const known = cluster.controller.state.position
    cluster.killController()
    cluster.disk.rows.splice(0, Number.POSITIVE_INFINITY, ...backup)
    await cluster.startController()
    for (let count = 0; cluster.controller.state.position <= known; count++) await cluster.publish(`b${count}`)
    await cluster.rest()
    expect(cluster.status().machines.map(({ problems }) => problems[0])).toEqual(
      ['a', 'b'].map(() => expect.stringContaining('restored from a backup')),
    )
    for (const machine of cluster.machines.values())
      expect(machine.running().map(({ release }) => release)).toEqual([releaseOf('2')])
  })
})

describe('a line that', () => {
  it.each([
    ['delays', { delayMs: 900 }],
    ['loses every third answer', { losesAnswers: 0.34 }],
    ['repeats every second report, later', { repeats: 0.5, delayMs: 300 }],
  ])('%s changes no outcome', async (_, faults) => {
    for (const { line } of cluster.machines.values()) line.set(faults)
    const load = new Load(cluster)
    for (const version of ['2', '3', '4']) expect(await cluster.push(version)).toMatchObject({ state: 'completed' })
    expect((await load.stop()).failures).toEqual([])
    expect(cluster.eventsOf('MachineLost')).toEqual([])
  })

  it('is half-open is given up and made again by the agent', async () => {
    const { line } = cluster.machine('a')
    line.set({ state: 'silent' })
    await cluster.clock.advance(8_000)
    line.set({ state: 'up' })
    expect(await cluster.push('2')).toMatchObject({ state: 'completed' })
    await cluster.until('both run it', () => runs().join() === 'a ready 2,b ready 2')
  })
})
