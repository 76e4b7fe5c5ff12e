import { oneOf } from '../lib/oneOf.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { RolloutHistory, RolloutView } from '../projections/rolloutHistory.ts'

/** Finds a rollout by its id or an unambiguous prefix. */
export function findRollout(history: RolloutHistory, prefix: string): RolloutView {
  const ids = history.all().map(({ id }) => id)
  return history.get(rolloutIdOf(ids, prefix)) ?? noSuchRollout(prefix)
}

/** Finds the id of a rollout by itself or an unambiguous prefix. */
export const rolloutIdOf = (ids: Iterable<string>, prefix: string): string =>
  oneOf(prefix, ids, 'rollouts') ?? noSuchRollout(prefix)

function noSuchRollout(prefix: string): never {
  const next = 'tandem rollouts   lists them'
  throw new OperatorError('E_NO_SUCH_ROLLOUT', `there is no rollout ${prefix}`, { subject: prefix, next })
}
