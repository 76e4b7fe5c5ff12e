import { referencesOf } from '../../definitions/secrets/references.ts'
import type { Definition } from '../../definitions/definition.ts'
import type { Pins } from '../../events/rolloutEvents.ts'
import { currentVersion } from '../../secrets/state.ts'
import type { State } from '../state.ts'

/** The version of a secret with which the instances of a rollout run. */
export interface Pin {
  path: string
  /** `null`: there is none. */
  version: number | null
  /** The newer version that is passed over because a rollout with it was reverted. */
  rejected?: number
}

/**
 * The newest version of each secret that a release names, but not one with which a rollout of the service was reverted.
 * A deleted secret stays in the version that the service runs with.
 */
export function pinsOf(state: State, definition: Definition, former: Pins = {}): Pin[] {
  const paths = [...new Set(referencesOf(definition).map(({ path }) => path))]
  return paths.map((path) => formerPin(state, path, former) ?? pinOf(state, definition.service, path))
}

/** A version that was destroyed meanwhile is not there again. */
function formerPin({ secrets: known }: State, path: string, { secrets = {} }: Pins): Pin | null {
  const version = secrets[path]
  const isKept = known[path]?.versions.some((one) => one.version === version) === true
  return version !== undefined && isKept ? { path, version } : null
}

function pinOf({ services, generations, secrets }: State, name: string, path: string): Pin {
  const secret = Object.hasOwn(secrets, path) ? secrets[path] : undefined
  const service = services[name]
  const runs = generations[service?.current?.generation ?? '']?.pins?.secrets?.[path]
  const good = secret?.versions.some(({ version }) => version === runs) ? runs : undefined
  const newest = currentVersion(secret)?.version
  if (newest === undefined) return { path, version: good ?? null }
  const isRejected = service?.rejected?.secrets?.[path] === newest
  return isRejected && good !== undefined ? { path, version: good, rejected: newest } : { path, version: newest }
}

/** As a rollout keeps them. */
export function pinned(state: State, definition: Definition, former: Pins): Pick<Pins, 'secrets'> {
  const pins = pinsOf(state, definition, former).flatMap(({ path, version }) =>
    version === null ? [] : [[path, version]],
  )
  return pins.length === 0 ? {} : { secrets: Object.fromEntries(pins) as Record<string, number> }
}
