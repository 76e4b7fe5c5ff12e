import type { Definition } from './definition.ts'

/**
 * The `Host` that probes of this definition (overlay applied) send; `null`: the address and port that they connect to.
 */
export function probeHostOf({ health, routes }: Definition): string | null {
  if (health.host === undefined) return null
  return health.host ?? (routes ?? []).map((route) => ('host' in route ? route.host : null)).find(Boolean) ?? null
}

/** The same definition for an agent of any version: an agent from before this key refuses it, so the key is removed. */
export function withoutProbeHost(definition: Definition): Definition {
  const { host: _, ...health } = definition.health
  return { ...definition, health }
}

export const withProbeHost = (definition: Definition, host: string | undefined): Definition =>
  host === undefined ? definition : { ...definition, health: { ...definition.health, host } }
