import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import { reasonChars } from '../protocol/basics.ts'
import type { DesiredInstance, ReportedInstance } from '../protocol/services.ts'
import type { LocalInstance } from './localInstance.ts'

/**
 * The entry of the report for one instance. A ready instance that gets no new work but still finishes work is
 * `draining`.
 */
export function reportedInstance(
  instance: LocalInstance,
  traffic: DesiredInstance['traffic'] | undefined,
  balancer: BalancerDriver,
): ReportedInstance {
  const { id, release, definition, state, reason, port, pid, since, restarts, unstable } = instance
  const { work, long } = balancer.inFlight(id)
  const isRetired = state === 'ready' && traffic === 'idle' && work > 0
  return {
    ...{ id, service: definition.service, release, port, pid, restarts, unstable, work, long },
    reason: reason === null ? null : shortened(reason),
    state: isRetired ? 'draining' : state,
    since: new Date(since).toISOString(),
  }
}

/** Shortens a text: the controller would refuse the whole report if one text were too long. */
export const shortened = (reason: string): string =>
  reason.length <= reasonChars ? reason : `${reason.slice(0, reasonChars - 1)}…`
