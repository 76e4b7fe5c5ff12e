import type { SecretUse } from '../../api/secrets.ts'
import type { Status } from '../../api/views.ts'
import { instancesOf } from '../../fleet/serving.ts'
import type { Service, State } from '../../rollout/state.ts'
import { currentVersion } from '../../secrets/state.ts'

type Shown = NonNullable<Status['services'][number]['secrets']>

/** The versions with which a service runs, and the newest ones; empty: it has no secrets. */
export function secretsOf({ generations, secrets }: State, { current, rejectedSecrets }: Service): Shown {
  const pinned = Object.entries(generations[current?.generation ?? '']?.secrets ?? {})
  return pinned
    .map(([path, version]) => {
      const newest = currentVersion(secrets[path])?.version ?? null
      return { path, version, newest, rejected: newest !== null && rejectedSecrets?.[path] === newest }
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Which instances run with which version of a secret, sorted. */
export function usesOf(state: State, path: string): SecretUse[] {
  return Object.keys(state.services)
    .flatMap((service) => instancesOf(state, service))
    .flatMap(({ id, service, machine, generation }) => {
      const version = state.generations[generation]?.secrets?.[path]
      return version === undefined ? [] : [{ service, instance: id, machine, version }]
    })
    .toSorted((a, b) => (a.instance < b.instance ? -1 : 1))
}
