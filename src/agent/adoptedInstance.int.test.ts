import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Claimed } from '../drivers/supervisor/supervisor.ts'
import { systemClock } from '../lib/clock.ts'
import { LocalInstance, type Adopted } from './localInstance.ts'
import { loopback } from './loopback.ts'
import { aDefinition, listen, release } from './testing/given.ts'
import { becomes, id, openInstanceStage, type InstanceStage } from './testing/instanceStage.ts'

let stage: InstanceStage
beforeEach(async () => {
  stage = await openInstanceStage()
})
afterEach(() => stage.close())

describe('an instance that was adopted', () => {
  const unprepared = (): Promise<never> => Promise.reject(new Error('the disk is full'))
  const adopt = (
    claimed: Pick<Claimed, 'pid' | 'port'>,
    adopted: Adopted,
    prepareStart = unprepared,
    changed: () => void = () => {},
  ): LocalInstance => {
    const { supervisor, prober } = stage
    stage.supervisor.claim = () => ({ startedAt: null, restarts: 0, ...claimed })
    const instance = new LocalInstance(
      { id, release, definition: aDefinition(), adopted },
      {
        ...{ supervisor, loopback, clock: systemClock, random: () => 0, crowd: () => 1, changed },
        ...{ prepareStart, prober, failed: () => {} },
      },
    )
    stage.instances.push(instance)
    return instance
  }

  it('keeps its pid and port, and serves before it is known to be healthy; its release is not checked', async () => {
    stage.supervisor.ownsSocket = async () => true
    const instance = adopt({ pid: 4_711, port: stage.service.port }, 'serving')
    expect([instance.serves, instance.port]).toEqual([true, stage.service.port])
    await instance.judged()
    expect(instance).toMatchObject({ state: 'ready', port: stage.service.port, pid: 4_711, serves: true })
  })
  it('without traffic before gets none before it is known to be healthy', async () => {
    stage.supervisor.ownsSocket = async () => true
    const instance = adopt({ pid: 4_711, port: stage.service.port }, 'running')
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
    stage.supervisor.ownsSocket = async () => {
      if (++asked < 8) throw new Error('the privileged helper did not answer')
      return true
    }
    const changes: boolean[] = []
    const instance: LocalInstance = adopt({ pid: 4_711, port: stage.service.port }, 'serving', unprepared, () =>
      changes.push(instance.serves),
    )
    await becomes(instance, 'ready')
    expect(asked).toBe(8)
    expect(changes).not.toContain(false)
  })
  it('that does not run is not started, and continues when the supervisor reports a restart', async () => {
    stage.supervisor.ownsSocket = async () => true
    const instance = adopt({ pid: null, port: stage.service.port }, 'serving')
    await instance.judged()
    expect(instance).toMatchObject({ state: 'failed', serves: false, reason: expect.stringContaining('does not run') })
    instance.restarted(4_712)
    await becomes(instance, 'ready')
    expect(instance).toMatchObject({ pid: 4_712, port: stage.service.port })
  })
  it('is left running when the agent leaves', async () => {
    const instance = stage.start()
    await becomes(instance, 'ready')
    await instance.leave()
    expect(stage.supervisor.running()).toEqual([id])
    expect(stage.history).not.toContain('draining')
  })
})
