import type { Definition } from './definition.ts'

/** What probes of this definition (overlay applied) name as `Host`; `null`: the address and port that is asked. */
export function probeHostOf({ health, routes }: Definition): string | null {
  if (health.host === undefined) return null
  return health.host ?? (routes ?? []).map((route) => ('host' in route ? route.host : null)).find(Boolean) ?? null
}

/** The same definition for an agent of any version: one from before this key refuses it, and is given the rest. */
export function withoutProbeHost(definition: Definition): Definition {
  const { host: _, ...health } = definition.health
  return { ...definition, health }
}

export const withProbeHost = (definition: Definition, host: string | undefined): Definition =>
  host === undefined ? definition : { ...definition, health: { ...definition.health, host } }
