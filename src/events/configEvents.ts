export interface ConfigEvents {
  /** The settings of a service changed: `values` are all that are set. `of`: the earlier version that has the same values. */
  ConfigChanged: {
    service: string
    version: number
    values: Record<string, string>
    reason: string | null
    of: number | null
  }
}

declare module './event.ts' {
  interface EventData extends ConfigEvents {}
}

declare module './rolloutEvents.ts' {
  interface Pins {
    /** The settings of the instances. `version`: `null`, nobody has set any. Left out: the release has none. */
    config?: { version: number | null; values: Record<string, string> }
  }
}
