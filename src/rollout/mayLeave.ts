import { definitionOf, instancesOf, serves, takesRequests } from '../fleet/serving.ts'
import { strategyOf, wantedOn } from './serviceView.ts'
import type { Instance } from '../fleet/state.ts'
import type { State, Turn } from './state.ts'

/**
 * Whether these instances may leave the traffic before any replacement serves. The instances that still serve, on all
 * machines, must be at least one, and no fewer than the lesser of those that serve now and those wanted (less one under
 * `replace`). Exempt are: stopping, removing, undoing a release that never ran before, what the operator allowed, and
 * instances that take no requests.
 */
export function mayLeave(state: State, turn: Turn, retire: Instance[]): boolean {
  const leaving = retire.filter((instance) => takesRequests(state, instance))
  const carry = leaving.some((instance) => definitionOf(state, instance.release).listen !== 'none')
  if (!carry || mayInterrupt(state, turn)) return true
  const serving = instancesOf(state, turn.service).filter((one) => leaving.includes(one) || serves(state, one))
  const spare = strategyOf(state, turn) === 'replace' ? 1 : 0
  const least = Math.min(serving.length, wantedInAll(state, turn)) - spare
  return serving.length - leaving.length >= Math.max(1, least)
}

function mayInterrupt(state: State, turn: Turn): boolean {
  const rollout = state.rollouts[turn.rollout]
  if (rollout?.allowOutage) return true
  if (turn.direction === 'forward') return rollout?.kind === 'stop' || rollout?.kind === 'remove'
  // A service that never ran before this rollout, or was stopped, may leave with it.
  const service = state.services[turn.service]
  return !service?.current || service.stopped
}

/** Number of instances wanted on all reachable machines by the release that the turn goes to. */
function wantedInAll(state: State, turn: Turn): number {
  const forward = turn.direction === 'forward'
  const release = forward ? state.rollouts[turn.rollout]?.release : state.services[turn.service]?.current?.release
  if (!release) return 0
  const reachable = Object.values(state.machines).filter(({ lost }) => !lost)
  return reachable.reduce((sum, { name }) => sum + wantedOn(state, definitionOf(state, release), name), 0)
}
