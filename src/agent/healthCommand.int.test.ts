import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../lib/testing/until.ts'
import { VirtualClock } from '../lib/testing/virtualClock.ts'
import { loopback } from './loopback.ts'
import { aDefinition } from './testing/given.ts'
import { becomes, id, openInstanceStage, type InstanceStage } from './testing/instanceStage.ts'

let stage: InstanceStage
beforeEach(async () => {
  stage = await openInstanceStage()
})
afterEach(() => stage.close())

const byCommand = { health: { ...aDefinition().health, command: ['check'] } }

describe('an instance with a health command', () => {
  const no = { ok: false, reason: 'check exited with status 1: no' } as const

  it('is ready when the command succeeds, whatever it answers on its port', async () => {
    stage.status = 500
    stage.commandAnswers = [no, no, { ok: true }]
    const instance = stage.start({ definition: byCommand })
    await becomes(instance, 'ready')
    expect(instance.probeShare).toBe(0.5)
  })

  it('is not ready while nothing listens on its port', async () => {
    stage.supervisor.setProgram(() => ({ listens: false }))
    const closed = { ...loopback, closedPortReason: async (port: number) => `port ${port} is closed` }
    const definition = { health: { ...byCommand.health, withinMs: 100 } }
    const instance = stage.start({ loopback: closed, definition })
    await becomes(instance, 'failed')
    expect(instance.reason).toBe(`was not ready within 0.1 s: port ${stage.service.port} is closed`)
    stage.supervisor.setListening(id, true)
    await becomes(instance, 'ready')
  })

  it('fails after three misses with the reason of the last, and one success puts it back', async () => {
    stage.commandAnswers = [{ ok: true }, no, no, { ok: true }, no, no, no, no, { ok: true }]
    const instance = stage.start({ definition: byCommand })
    await until(() => expect(stage.history).toContain('failed unstable'))
    expect(stage.history.filter((state) => state !== 'starting').slice(0, 2)).toEqual(['ready', 'failed unstable'])
    await becomes(instance, 'ready')
    expect(instance.reason).toBe('missed 3 probes: check exited with status 1: no')
  })

  it('that listens nowhere is ready when it has been up for `settle` and the command succeeds', async () => {
    const clock = new VirtualClock()
    stage.commandAnswers = [no, { ok: true }]
    const health = { ...byCommand.health, settleMs: 1_000, everyMs: 500 }
    const instance = stage.start({ clock, definition: { listen: 'none', health } })
    await until(() => expect(stage.supervisor.running()).toEqual([id]))
    await clock.advance(1_499)
    expect(instance.state).toBe('starting')
    await clock.advance(1)
    await becomes(instance, 'ready')
    expect(stage.commandAnswers).toEqual([{ ok: true }])
  })

  it('is asked less often while it is ready, if `every` is long, and each life has a prober of its own', async () => {
    const clock = new VirtualClock()
    const instance = stage.start({
      clock,
      definition: { ...byCommand, health: { ...byCommand.health, everyMs: 30_000 } },
    })
    await becomes(instance, 'ready')
    stage.commandAnswers = [no, { ok: true }]
    await clock.advance(29_000)
    expect(stage.commandAnswers).toHaveLength(2)
    await clock.advance(1_000)
    await until(() => expect(stage.commandAnswers).toHaveLength(1))
    stage.supervisor.die(id)
    await until(() => expect(stage.closedProbers).toBe(1))
  })
})
