import type { Service, State } from '../state.ts'

/** The service after a rollout that was reverted: versions of secrets that only this rollout had are rejected. */
export function withRejected(
  { generations }: Pick<State, 'generations'>,
  { current, rejectedSecrets }: Service,
  rollout: string,
): Pick<Service, 'rejectedSecrets'> {
  if (current === null) return {}
  const before = generations[current.generation]?.secrets ?? {}
  const tried = Object.entries(generations[rollout]?.secrets ?? {})
  const worse = tried.filter(([path, version]) => before[path] !== undefined && before[path] !== version)
  return worse.length === 0 ? {} : { rejectedSecrets: { ...rejectedSecrets, ...Object.fromEntries(worse) } }
}
