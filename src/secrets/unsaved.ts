import type { SecretsState } from './state.ts'

/** The time of the oldest version that the newest backup does not hold, in milliseconds; `null`: it holds all. */
export function unsavedSince({ secrets, backedUpAt }: SecretsState): number | null {
  const times = Object.values(secrets).flatMap(({ versions }) => versions.map(({ at }) => at))
  const unsaved = times.filter((at) => backedUpAt === null || at > backedUpAt)
  return unsaved.length === 0 ? null : Math.min(...unsaved)
}
