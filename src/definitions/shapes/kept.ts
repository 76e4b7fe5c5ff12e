/**
 * The stored form of a value: in a release's manifest, in the event log, between processes. It is data, so that the part
 * that checks it needs no YAML and the part that reads YAML needs no schema library.
 */
export type Kept =
  | {
      kind: 'text'
      least: number
      most: number
      /** For its description; `refuse` checks it. */
      pattern?: RegExp
      /** The problem with it, or `null`. */
      refuse: (text: string) => string | null
    }
  | {
      kind: 'number'
      whole: boolean
      least: number
      most: number
      /** A further problem with it, or `null`. */
      refuse?: (value: number) => string | null
    }
  /** `only`: it is stored as `true`, or not at all. */
  | { kind: 'flag'; only?: true }
  | { kind: 'choice'; words: readonly string[] }
  | { kind: 'list'; item: Kept; least: number; most: number; distinct: boolean }
  | { kind: 'map'; value: Kept; most: number; keys: RegExp; refuseKey: (name: string) => string | null }
  | KeptGroup
  | { kind: 'either'; of: readonly KeptGroup[] }

export interface KeptGroup {
  kind: 'group'
  keys: Record<string, KeptKey>
}

export interface KeptKey {
  kept: Kept
  /** Stored as `null` when it is not written. */
  nullable: boolean
  /** Not stored when it is not written: a file that has no such key is stored as before the key existed. */
  omitted: boolean
  /** The value that a stored form from before this key has. */
  fallback?: unknown
}

/** Longest text of a definition, in characters. */
export const longestText = 256 * 1024
/** Timers and dates hold this; a year is the longest that can be written. In milliseconds. */
export const longestMs = 366 * 24 * 3_600_000

export const refuseNul = (text: string): string | null => (text.includes('\0') ? 'holds a NUL character' : null)

/** A stored group, completed with the values that it has for keys from after it was stored. */
export function withFallbacks({ keys }: KeptGroup, stored: object): Record<string, unknown> {
  const later = Object.entries(keys).filter(([, { fallback }]) => fallback !== undefined)
  const complete: Record<string, unknown> = {
    ...Object.fromEntries(later.map(([name, { fallback }]) => [name, structuredClone(fallback)])),
    ...stored,
  }
  for (const [name, { kept }] of Object.entries(keys)) {
    const value = complete[name] ?? {}
    if (kept.kind !== 'group' || typeof value !== 'object') continue
    const inner = withFallbacks(kept, value)
    if (Object.keys(inner).length > 0) complete[name] = inner
  }
  return complete
}
