import { OperatorError } from '../lib/operatorError.ts'
import type { RolloutHistory, RolloutView } from '../projections/rolloutHistory.ts'

/** Finds a rollout by its id or an unambiguous prefix. */
export function findRollout(history: RolloutHistory, prefix: string): RolloutView {
  const exact = history.get(prefix)
  const found = exact ? [exact] : history.all().filter(({ id }) => id.startsWith(prefix))
  const [first] = found
  if (first && found.length === 1) return first
  if (!first) {
    const next = 'tandem rollouts   lists them'
    throw new OperatorError('E_NO_SUCH_ROLLOUT', `there is no rollout ${prefix}`, { subject: prefix, next })
  }
  throw new OperatorError('E_AMBIGUOUS', `${prefix} matches ${found.length} rollouts`, {
    subject: prefix,
    next: `type more characters: ${found.map(({ id }) => id).join(', ')}`,
  })
}
