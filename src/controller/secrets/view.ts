import type { SecretUse } from '../../api/secrets.ts'
import type { Status } from '../../api/views.ts'
import { instancesOf } from '../../fleet/serving.ts'
import type { Service, State } from '../../rollout/state.ts'
import { currentVersion } from '../../secrets/state.ts'

type Shown = NonNullable<Status['services'][number]['secrets']>

/** Empty: it has no secrets. */
export const secretViews = (state: State, service: Service): Pick<Status['services'][number], 'secrets'> => {
  const secrets = secretsOf(state, service)
  return secrets.length === 0 ? {} : { secrets }
}

function secretsOf({ generations, secrets }: State, { current, rejected: passedOver }: Service): Shown {
  const pinned = Object.entries(generations[current?.generation ?? '']?.pins?.secrets ?? {})
  return pinned
    .map(([path, version]) => {
      const newest = currentVersion(secrets[path])?.version ?? null
      return { path, version, newest, rejected: newest !== null && passedOver?.secrets?.[path] === newest }
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Which instances run with which version of a secret, sorted. */
export function usesOf(state: State, path: string): SecretUse[] {
  return Object.keys(state.services)
    .flatMap((service) => instancesOf(state, service))
    .flatMap(({ id, service, machine, generation }) => {
      const version = state.generations[generation]?.pins?.secrets?.[path]
      return version === undefined ? [] : [{ service, instance: id, machine, version }]
    })
    .toSorted((a, b) => (a.instance < b.instance ? -1 : 1))
}
