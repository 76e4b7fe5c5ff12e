/** The format that `desired.json` is written in now. It changes only with an upcaster, and so that the minor version before can read it too. */
export const desiredFormat = 1

/** Turns what was written in a format into the next one. */
type Upcasters = Readonly<Record<number, (kept: object) => object>>

/** Before there was a number, format 1 was written without it. */
const upcasters: Upcasters = { 0: (kept) => kept }

/**
 * What an earlier version of the agent kept, as this one would have written it. What a newer one kept is taken as it is: fields are
 * only added between neighbouring versions, and the schema leaves out what it does not know.
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
