import type { Pins } from '../../events/rolloutEvents.ts'
import { currentVersion } from '../../secrets/state.ts'
import type { Rejected } from '../featureState.ts'
import type { Service, State } from '../state.ts'

/** The newest versions that only this rollout had. */
export function rejectedSecrets(
  { secrets }: State,
  { rejected }: Service,
  { before, tried }: { before: Pins; tried: Pins },
): Rejected {
  const worse = Object.entries(tried.secrets ?? {}).filter(([path, version]) => {
    const former = before.secrets?.[path]
    return former !== undefined && former !== version && currentVersion(secrets[path])?.version === version
  })
  return worse.length === 0 ? {} : { secrets: { ...rejected?.secrets, ...Object.fromEntries(worse) } }
}
