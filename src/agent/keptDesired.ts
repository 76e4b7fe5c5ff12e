/**
 * Format that `desired.json` is written in. It changes only together with an upcaster, and so that the minor version
 * before can still read the file.
 */
export const desiredFormat = 1

/** Functions that convert content from one format to the next. */
type Upcasters = Readonly<Record<number, (kept: object) => object>>

/** Format 1 was first written without a format number. */
const upcasters: Upcasters = { 0: (kept) => kept }

/**
 * Converts content that an earlier version of the agent wrote to the current format. Content of a newer version is left
 * unchanged: neighbouring versions only add fields, and the schema drops unknown fields.
 */
export function upcastDesired(kept: unknown, known: Upcasters = upcasters, current = desiredFormat): unknown {
  if (typeof kept !== 'object' || kept === null) return kept
  let now: object = kept
  const written = 'format' in kept ? Number(kept.format) : 0
  for (let format = written; format < current; format++) {
    const upcast = known[format]
    if (!upcast) throw new Error(`no upcaster for format ${format} of desired.json: a bug`)
    now = upcast(now)
  }
  return now
}
