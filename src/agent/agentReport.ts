import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import { reasonChars } from '../protocol/basics.ts'
import type { DesiredInstance, ReportedInstance } from '../protocol/services.ts'
import type { LocalInstance } from './localInstance.ts'

/** The entries of the report for instances: the same object as before where nothing about the instance has changed. */
export class ReportedInstances {
  #last = new WeakMap<LocalInstance, { from: readonly unknown[]; entry: ReportedInstance }>()

  /**
   * A ready instance that gets no new work but still finishes work is `draining`. One that shall get work is `starting`
   * until the balancer knows that it is ready: `ready` says that requests reach it.
   */
  of(
    instance: LocalInstance,
    traffic: DesiredInstance['traffic'] | undefined,
    balancer: Pick<BalancerDriver, 'inFlight'>,
  ): ReportedInstance {
    const { id, release, definition, reason, port, pid, since, restarts, unstable } = instance
    const { work, long } = balancer.inFlight(id)
    const last = this.#last.get(instance)
    // One that was ready before it was to get work stays so: the controller itself waits for the routes of a switch.
    const wasReady = last?.from[0] === 'ready' && last.from[4] === since
    const awaitsRoute = instance.awaitsRoute && !wasReady
    const state = instance.state === 'ready' ? readiness(awaitsRoute, traffic, work) : instance.state
    const from = [state, reason, port, pid, since, restarts, unstable, work, long]
    if (last && from.every((one, index) => last.from[index] === one)) return last.entry
    const entry = {
      ...{ id, service: definition.service, release, state, port, pid, restarts, unstable, work, long },
      reason: reason === null ? null : shortened(reason),
      since: new Date(since).toISOString(),
    }
    this.#last.set(instance, { from, entry })
    return entry
  }
}

function readiness(
  awaitsRoute: boolean,
  traffic: DesiredInstance['traffic'] | undefined,
  work: number,
): 'draining' | 'starting' | 'ready' {
  if (traffic === 'idle' && work > 0) return 'draining'
  return traffic === 'active' && awaitsRoute ? 'starting' : 'ready'
}

/** Shortens a text: the controller would refuse the whole report if one text were too long. */
export const shortened = (reason: string): string =>
  reason.length <= reasonChars ? reason : `${reason.slice(0, reasonChars - 1)}…`
