import { expect } from 'vitest'
import type { Definition } from '../../definitions/definition.ts'
import { createFakeSupervisor } from '../../drivers/supervisor/fakeSupervisor.ts'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { until } from '../../lib/testing/until.ts'
import type { InstanceLimits } from '../instanceLimits.ts'
import { LocalInstance } from '../localInstance.ts'
import { loopback as usualLoopback, type Loopback } from '../loopback.ts'
import type { ProbeResult } from '../probe.ts'
import type { CommandProbe } from '../probing/instanceProbe.ts'
import { aDefinition, listen, release } from './given.ts'

interface Given {
  definition?: Partial<Definition>
  limits?: Partial<InstanceLimits>
  clock?: Clock
  loopback?: Loopback
  beforeStart?: (signal: AbortSignal) => Promise<void>
}

export const id = 'shop-r1-a-1'

export const becomes = (instance: LocalInstance, state: string): Promise<void> =>
  until(() => expect(instance.state).toBe(state))

export type InstanceStage = Awaited<ReturnType<typeof openInstanceStage>>

/** Instances over a fake supervisor, and a service that answers on their port. */
export async function openInstanceStage() {
  const stage = {
    supervisor: createFakeSupervisor(systemClock),
    service: await listen((): number => stage.status),
    /** The status that the service answers. */
    status: 200,
    instances: [] as LocalInstance[],
    /** Each state of the instances that were started. */
    history: [] as string[],
    /** The answers of the health command, the last one for ever. */
    commandAnswers: [{ ok: true }] as ProbeResult[],
    closedProbers: 0,
    prober: (): CommandProbe => {
      const ask = async (): Promise<ProbeResult> => {
        const { commandAnswers: answers } = stage
        return (answers.length > 1 ? answers.shift() : answers[0]) ?? { ok: true }
      }
      return { share: 0.5, ask, close: async () => void stage.closedProbers++ }
    },
    start,
    close: async (): Promise<void> => {
      await Promise.all(stage.instances.map((instance) => instance.stop(async () => {})))
      await stage.supervisor.close()
      await stage.service.close()
    },
  }
  return stage

  function start({
    definition,
    limits,
    clock = systemClock,
    loopback = usualLoopback,
    beforeStart,
  }: Given = {}): LocalInstance {
    const { supervisor, history, prober } = stage
    const { port } = stage.service
    const whole = aDefinition(definition)
    const instance: LocalInstance = new LocalInstance(
      { id, release, definition: whole },
      {
        ...{ supervisor, loopback, clock, prober, random: () => 0, crowd: () => 1, failed: () => {} },
        limits: { readyProbeMs: 10, restart: { firstMs: 10, mostMs: 40 }, ...limits },
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
    stage.instances.push(instance)
    return instance
  }
}
