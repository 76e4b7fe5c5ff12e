import { currentVersion } from '../../secrets/state.ts'
import type { Service, State } from '../state.ts'

/** The service after a rollout that was reverted: the newest versions of secrets that only this rollout had are rejected. */
export function withRejected(
  { generations, secrets }: Pick<State, 'generations' | 'secrets'>,
  { current, rejectedSecrets }: Service,
  rollout: string,
): Pick<Service, 'rejectedSecrets'> {
  if (current === null) return {}
  const before = generations[current.generation]?.secrets ?? {}
  const tried = Object.entries(generations[rollout]?.secrets ?? {})
  const isNewest = (path: string, version: number): boolean => currentVersion(secrets[path])?.version === version
  const worse = tried.filter(
    ([path, version]) => before[path] !== undefined && before[path] !== version && isNewest(path, version),
  )
  return worse.length === 0 ? {} : { rejectedSecrets: { ...rejectedSecrets, ...Object.fromEntries(worse) } }
}
