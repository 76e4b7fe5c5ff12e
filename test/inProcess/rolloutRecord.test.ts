import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RolloutNumbers } from '../../src/api/numbers.ts'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { Cluster } from './cluster.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'record-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (rollout: string): string => join(folder, `${rollout}.ndjson`)

/** Answers by class, over all instances of a record. */
const sumOf = ({ instances }: RolloutNumbers): number[] =>
  instances.reduce((sum, { answers }) => sum.map((count, group) => count + (answers[group] ?? 0)), [0, 0, 0, 0, 0])

/** Answers ten requests a second on every instance that serves, one of them with 500, and counts them. */
class Load {
  readonly sent = [0, 0, 0, 0, 0]
  #isOver = false

  constructor(cluster: Cluster) {
    const answer = (): void => {
      if (this.#isOver) return
      for (const { balancer } of cluster.machines.values()) {
        for (const { targets } of balancer.plan?.routes ?? []) {
          for (const { instance, state } of targets) {
            if (state !== 'active') continue
            balancer.answers(instance, 'shop', 200, 9)
            balancer.answers(instance, 'shop', 500, 1)
            this.sent[1]! += 9 // it has five
            this.sent[4]! += 1
          }
        }
      }
      cluster.clock.after(1_000, answer)
    }
    answer()
  }

  end(): void {
    this.#isOver = true
  }
}

async function recorded(
  during: (cluster: Cluster) => Promise<void> = async () => {},
): Promise<{ cluster: Cluster; load: Load; rollout: string }> {
  const cluster = await Cluster.start()
  cluster.recordRollouts(folder)
  await cluster.push('1')
  await cluster.clock.advance(30_000)
  const [release, load] = [await cluster.publish('2'), new Load(cluster)]
  const started = await cluster.start('shop', release)
  if (!started) throw new Error('nothing to do')
  await during(cluster)
  await cluster.finished(started.id)
  load.end()
  await cluster.clock.advance(15_000)
  return { cluster, load, rollout: started.id }
}

describe('the record of a rollout', () => {
  it('adds up exactly, and has the old instances and the new ones', async () => {
    const { cluster, load, rollout } = await recorded()
    const record = cluster.recordRollouts(folder).find(rollout.slice(0, 6))
    expect(sumOf(record)).toEqual(load.sent)
    expect(record.instances.map(({ machine }) => machine).toSorted()).toEqual(['a', 'a', 'b', 'b'])
    expect(record.damaged).toBe(false)
    for (const { at, perSecond, inFlight } of record.instances) {
      expect([perSecond.length, inFlight.length]).toEqual([at.length, at.length])
      expect(at).toEqual(at.toSorted((a, b) => a - b))
    }
    const { startedAt = '', finishedAt = '' } = cluster.controller.history.get(rollout) ?? {}
    const times = record.instances.flatMap(({ at }) => at)
    expect(Math.max(...times)).toBeGreaterThanOrEqual(Date.parse(finishedAt ?? ''))
    expect(Math.min(...times)).toBeLessThan(Date.parse(startedAt) + 2_500)
  })

  it('adds up exactly over a controller that was killed while it appended', async () => {
    const { cluster, load, rollout } = await recorded(async (one) => {
      await one.clock.advance(1_500)
      one.killController()
      const [running] = one
        .events()
        .filter(({ type }) => type === 'RolloutStarted')
        .slice(-1)
      const id = running?.type === 'RolloutStarted' ? running.data.rollout : ''
      appendFileSync(fileOf(id), readFileSync(fileOf(id)).subarray(0, 40))
      await one.clock.advance(5_000)
      await one.startController()
      one.recordRollouts(folder)
    })
    const record = cluster.recordRollouts(folder).find(rollout)
    expect(record.damaged).toBe(false)
    expect(sumOf(record)).toEqual(load.sent)
  })

  it('adds up exactly over a disk that was full for a while and took half a line', async () => {
    const { cluster, load, rollout } = await recorded(async (one) => {
      await one.clock.advance(1_500)
      const aside = `${folder}-aside`
      renameSync(folder, aside)
      writeFileSync(folder, 'nothing can be written below a file')
      await one.clock.advance(4_000)
      rmSync(folder)
      renameSync(aside, folder)
      const [id = ''] = Object.keys(one.controller.state.rollouts)
      appendFileSync(fileOf(id), '{"at":1764')
    })
    const record = cluster.recordRollouts(folder).find(rollout)
    expect(record.damaged).toBe(false)
    expect(sumOf(record)).toEqual(load.sent)
  })

  it('ends at a damage', async () => {
    const { cluster, rollout } = await recorded()
    const lines = readFileSync(fileOf(rollout), 'utf8').split('\n')
    const whole = cluster.recordRollouts(folder).find(rollout)
    lines[lines.length - 4] = '{"at":17'
    writeFileSync(fileOf(rollout), lines.join('\n'))
    const record = cluster.recordRollouts(folder).find(rollout)
    expect(record.damaged).toBe(true)
    expect(record.instances.length).toBeGreaterThan(0)
    expect(sumOf(record)[1]).toBeLessThan(sumOf(whole)[1] ?? 0)
    writeFileSync(fileOf(rollout), Buffer.from([0, 255, 10, 10]))
    expect(cluster.recordRollouts(folder).find(rollout)).toMatchObject({ damaged: true, instances: [] })
  })

  const { count: hours } = randomRun('long_rollouts', { check: 2, soak: 24 })
  it(`stays below 256 KiB and adds up exactly, also when a rollout takes ${hours} h`, async () => {
    const cluster = await Cluster.start()
    cluster.recordRollouts(folder)
    const drainMs = hours * 3_600_000
    const over = { rollout: { strategy: 'overlap' as const, drainMs } }
    await cluster.push('1', over)
    await cluster.clock.advance(10_000)
    const release = await cluster.publish('2', over)
    const [old] = cluster.instances()
    // A WebSocket that stays until the deadline.
    cluster.machine('a').balancer.setInFlight(old?.id ?? '', { work: 1, long: 1 })
    const load = new Load(cluster)
    const started = await cluster.start('shop', release)
    await cluster.clock.advance(drainMs)
    load.end()
    await cluster.clock.advance(15_000)
    const record = cluster.recordRollouts(folder).find(started?.id ?? '')
    expect(statSync(fileOf(started?.id ?? '')).size).toBeLessThanOrEqual(256 * 1_024)
    expect(sumOf(record)).toEqual(load.sent)
  })

  it('is all that is lost when it cannot be written', async () => {
    const cluster = await Cluster.start()
    const recorder = cluster.recordRollouts(folder)
    await cluster.push('1')
    await cluster.clock.advance(5_000)
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'not a folder')
    const { id, state } = await cluster.push('2')
    await cluster.clock.advance(5_000)
    expect(state).toBe('completed')
    expect(recorder.find(id)).toMatchObject({ damaged: false, instances: [] })
    const { services } = await cluster.call('numbers', {})
    expect(services.map(({ machine }) => machine)).toEqual(['a', 'b'])
  })

  it('is empty for a rollout without one, and refused for an unknown rollout', async () => {
    const cluster = await Cluster.start()
    const { id } = await cluster.push('1')
    const recorder = cluster.recordRollouts(folder)
    expect(recorder.find(id)).toEqual({ rollout: id, damaged: false, instances: [], balancers: [] })
    expect(() => recorder.find('nobody')).toThrow('there is no rollout nobody')
  })
})
