import { OperatorError } from './operatorError.ts'

/** Ids that an error lists. */
const mostListed = 10

/**
 * Finds the id that `prefix` names: this id itself, or the only one that begins with it. `null`: there is none. Throws
 * `E_AMBIGUOUS` if several begin with it. `kind` in the plural, as in "rollouts"; `shown`: an id as an error lists it.
 */
export function oneOf(
  prefix: string,
  ids: Iterable<string>,
  kind: string,
  shown: (id: string) => string = (id) => id,
): string | null {
  const found = [...ids].filter((id) => id.startsWith(prefix))
  if (found.includes(prefix)) return prefix
  if (found.length > 1) {
    throw new OperatorError('E_AMBIGUOUS', `${prefix} matches ${found.length} ${kind}`, {
      subject: prefix,
      next: `type more characters: ${found.slice(0, mostListed).map(shown).join(', ')}`,
    })
  }
  return found[0] ?? null
}
