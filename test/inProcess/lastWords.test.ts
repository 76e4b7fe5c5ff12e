import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster } from './cluster.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'last-words-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const onB = (cluster: Cluster): string => cluster.instances().find(({ machine }) => machine === 'b')?.id ?? ''

/** A cluster whose instance on `b` has written lines and failed. */
async function failedOnB(lines: string[]): Promise<{ cluster: Cluster; id: string }> {
  const cluster = await Cluster.start()
  cluster.keepLastWords(folder)
  await cluster.push('1')
  const [id, { supervisor }] = [onB(cluster), cluster.machine('b')]
  for (const line of lines) supervisor.print(id, 'err', line)
  supervisor.die(id)
  return { cluster, id }
}

describe('the last words of a failed instance', () => {
  it('are there when its machine is gone, and after a restart of the controller', async () => {
    const { cluster, id } = await failedOnB(['connecting to the database', 'cannot connect: no such host'])
    await cluster.clock.advance(1_000)
    cluster.machine('b').losePower()
    cluster.killController()
    await cluster.startController()
    const words = cluster.keepLastWords(folder).find(id)
    expect(words).toMatchObject({ instance: id, machine: 'b', service: 'shop', cut: false })
    expect(words.reason).toContain('exit')
    expect(words.lines.map(({ stream, text }) => `${stream} ${text}`)).toEqual(
      expect.arrayContaining(['err connecting to the database', 'err cannot connect: no such host']),
    )
    expect(cluster.keepLastWords(folder).find(id.slice(0, -1)).instance).toBe(id)
  })

  it('say which key opens the jail, where there is one', async () => {
    const cluster = await Cluster.start()
    cluster.keepLastWords(folder)
    await cluster.push('1')
    const [id, { supervisor }] = [onB(cluster), cluster.machine('b')]
    Object.assign(supervisor, { cannotJail: () => null })
    supervisor.print(id, 'err', 'bind /run/shop/x.sock: read-only file system')
    supervisor.die(id)
    await cluster.clock.advance(1_000)
    const { hints } = cluster.keepLastWords(folder).find(id)
    expect(hints).toEqual([expect.stringContaining('write jail: { scratch: [/run/shop] } into tandem.yaml')])
  })

  it('are those of its newest failure', async () => {
    const { cluster, id } = await failedOnB(['first'])
    await cluster.clock.advance(20_000)
    const { supervisor } = cluster.machine('b')
    supervisor.print(id, 'out', 'second')
    supervisor.die(id)
    await cluster.clock.advance(20_000)
    const words = cluster.keepLastWords(folder).find(id)
    expect(words.lines.map(({ text }) => text)).toContain('second')
    expect(readdirSync(folder)).toEqual([`${id}.json`])
  })

  it('are read twice a minute at most, however often the instance fails', async () => {
    const { cluster, id } = await failedOnB(['again'])
    const { supervisor } = cluster.machine('b')
    const logs = supervisor.logs.bind(supervisor)
    let reads = 0
    supervisor.logs = (query) => {
      reads += 1
      return logs(query)
    }
    for (let second = 0; second < 300; second += 1) {
      if (supervisor.isAlive(id)) supervisor.die(id)
      await cluster.clock.advance(1_000)
    }
    expect(reads).toBeGreaterThan(5)
    expect(reads).toBeLessThanOrEqual(12)
  })

  it('reach a controller that was away when the instance failed', async () => {
    const cluster = await Cluster.start()
    await cluster.push('1')
    const [id, { supervisor, line }] = [onB(cluster), cluster.machine('b')]
    cluster.keepLastWords(folder)
    line.set({ state: 'cut' })
    supervisor.print(id, 'out', 'goodbye')
    supervisor.die(id)
    await cluster.clock.advance(120_000)
    line.set({ state: 'up' })
    await cluster.clock.advance(30_000)
    const words = cluster.keepLastWords(folder).find(id)
    expect(words.lines.map(({ text }) => text)).toContain('goodbye')
  })

  it('include those of a release that is reverted, whose instance is gone by then', async () => {
    const cluster = await Cluster.start()
    const keeper = cluster.keepLastWords(folder)
    await cluster.push('1')
    for (const machine of cluster.machines.values()) {
      machine.behaviour = ({ release }) => (release.startsWith('2') ? { listens: false, exitsAfterMs: 50 } : {})
    }
    const { state, failedInstance } = await cluster.push('2')
    await cluster.rest()
    expect(state).toBe('reverted')
    expect(cluster.instances().map(({ id }) => id)).not.toContain(failedInstance)
    expect(keeper.find(failedInstance ?? '')).toMatchObject({ instance: failedInstance, machine: 'a' })
  })

  it('leave the report once the controller has them', async () => {
    const { cluster } = await failedOnB(['once'])
    await cluster.clock.advance(1_000)
    expect(cluster.controller.observed['b']?.report.lastWords).toHaveLength(1)
    await cluster.until('the instance is ready again', () => cluster.runs().every((run) => run.includes('ready')))
    await cluster.clock.advance(90_000)
    expect(cluster.controller.observed['b']?.report.lastWords).toEqual([])
  })

  it('are not taken from a machine that does not run the instance', async () => {
    const cluster = await Cluster.start()
    const keeper = cluster.keepLastWords(folder)
    await cluster.push('1')
    const report = cluster.controller.observed['a']?.report
    if (!report) throw new Error('a has not reported')
    const failure = {
      instance: onB(cluster),
      service: 'shop',
      release: 'x',
      at: '2026-11-29T00:00:00.000Z',
      reason: '',
    }
    const forged = ['../../x', onB(cluster)].map((instance) => ({
      ...failure,
      instance,
      lines: [],
      cut: false,
      hints: [],
    }))
    await cluster.wait(cluster.controller.report({ ...report, seq: report.seq + 1, lastWords: forged }))
    expect(() => keeper.find(onB(cluster))).toThrow('no last output')
    expect(readdirSync(folder)).toEqual([])
  })

  it('count as absent when their file is damaged', async () => {
    const { cluster, id } = await failedOnB(['lost'])
    await cluster.clock.advance(1_000)
    const file = join(folder, `${id}.json`)
    truncateSync(file, readFileSync(file).length - 10)
    expect(() => cluster.keepLastWords(folder).find(id)).toThrow(`no last output of an instance ${id} is kept`)
  })
})
