import type { FleetWorld } from '../fleet/state.ts'

export interface ConfigVersion {
  version: number
  /** All that are set, by name. */
  values: Record<string, string>
  /** Milliseconds since 1970. */
  at: number
  /** Name of the token that changed them; `null`: not recorded. */
  by: string | null
  reason: string | null
  /** The earlier version that has the same values. */
  of: number | null
}

export interface ConfigState {
  /** By service, the versions of its settings, the oldest first. */
  configs: Record<string, ConfigVersion[]>
}

/** The state that this room reads. */
export type ConfigWorld = FleetWorld &
  ConfigState & {
    services: Readonly<Record<string, { current: { release: string } | null; rejected?: { config?: number } }>>
    generations: Readonly<Record<string, { service: string; pins?: { config?: { version: number | null } } }>>
  }

export const newestConfig = ({ configs }: ConfigState, service: string): ConfigVersion | null =>
  (Object.hasOwn(configs, service) ? configs[service]?.at(-1) : undefined) ?? null
