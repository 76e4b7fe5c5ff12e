import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import { reasonChars, type ReportedInstance } from '../protocol/report.ts'
import type { LocalInstance } from './localInstance.ts'

/** What the report says of one instance. One that is ready, and finishes the work it has while it gets no more, is `draining`. */
export function reportedInstance(
  instance: LocalInstance,
  desired: DesiredState | null,
  balancer: BalancerDriver,
): ReportedInstance {
  const { id, release, definition, state, reason, port, pid, since, restarts, unstable } = instance
  const traffic = desired?.instances.find((one) => one.id === id)?.traffic
  const { work, long } = balancer.inFlight(id)
  const isRetired = state === 'ready' && traffic === 'idle' && work > 0
  return {
    ...{ id, service: definition.service, release, port, pid, restarts, unstable, work, long },
    reason: reason === null ? null : shortened(reason),
    state: isRetired ? 'draining' : state,
    since: new Date(since).toISOString(),
  }
}

/** A report that says too much would be refused whole. */
export const shortened = (reason: string): string =>
  reason.length <= reasonChars ? reason : `${reason.slice(0, reasonChars - 1)}…`
