/** A message as its difference from the one before: see `src/protocol/difference.ts`. */
export interface Difference {
  set: Record<string, unknown>
  /** Runs `[from, to)` of the list before, and new items. */
  lists: Record<string, (readonly [number, number] | { item?: unknown })[]>
  records: Record<string, { set: Record<string, unknown>; gone: string[] }>
  gone: string[]
}

/** The difference builds upon another message than the one before: the whole one is needed. */
export class WrongBase extends Error {}

/** The message that follows `before`. Parts that did not change stay the same objects. */
export function following<T extends object>(before: T, { set, lists, records, gone }: Difference): T {
  const now: Record<string, unknown> = { ...before, ...set }
  for (const [key, parts] of Object.entries(lists)) now[key] = listAfter(now[key], parts)
  for (const [key, record] of Object.entries(records)) {
    const known = now[key]
    if (typeof known !== 'object' || known === null) throw new WrongBase(`there is no record ${key}`)
    const entries: Record<string, unknown> = { ...known, ...record.set }
    for (const name of record.gone) delete entries[name]
    now[key] = entries
  }
  for (const key of gone) delete now[key]
  return now as T // the controller made the difference between two messages of this type
}

function listAfter(before: unknown, parts: Difference['lists'][string]): unknown[] {
  if (!Array.isArray(before)) throw new WrongBase('there is no such list')
  const known: readonly unknown[] = before
  return parts.flatMap((part): unknown[] => {
    if ('item' in part) return [part.item]
    const [from, to] = part as readonly [number, number] // all other parts are runs
    if (from >= to || to > known.length) throw new WrongBase(`the list has no items ${from} to ${to}`)
    return known.slice(from, to)
  })
}
