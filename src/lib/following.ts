/** The form of a difference between two messages: `src/protocol/difference.ts` makes it. */
export interface DifferenceForm {
  set: Record<string, unknown>
  /** Runs `[from, to)` of the list before, each used once at most, and new items. */
  lists: Record<string, (readonly [number, number] | { item?: unknown })[]>
  records: Record<string, { set: Record<string, unknown>; gone: string[] }>
  /** Keys that the message has no more. */
  gone: string[]
}

/** A difference builds upon another message than the one before. The sender must send the whole message. */
export class BaseMismatch extends Error {}

/** The message that follows `before`. Parts that did not change stay the same objects. The page uses it too. */
export function following(before: object, { set, lists, records, gone }: DifferenceForm): Record<string, unknown> {
  const now: Record<string, unknown> = { ...before, ...set }
  for (const [key, parts] of Object.entries(lists)) now[key] = listAfter(now[key], parts)
  for (const [key, record] of Object.entries(records)) now[key] = recordAfter(now[key], record)
  for (const key of gone) delete now[key]
  return now
}

function listAfter(before: unknown, parts: DifferenceForm['lists'][string]): unknown[] {
  if (!Array.isArray(before)) throw new BaseMismatch('the message before has no such list')
  const known: readonly unknown[] = before
  let left = known.length
  return parts.flatMap((part): unknown[] => {
    if (!isRun(part)) return [part.item]
    const [from, to] = part
    left -= to - from
    if (from >= to || to > known.length || left < 0) throw new BaseMismatch(`the list has no items ${from} to ${to}`)
    return known.slice(from, to)
  })
}

export const isRun = (part: DifferenceForm['lists'][string][number]): part is readonly [number, number] =>
  Array.isArray(part)

function recordAfter(before: unknown, { set, gone }: DifferenceForm['records'][string]): Record<string, unknown> {
  if (typeof before !== 'object' || before === null) throw new BaseMismatch('the message before has no such record')
  const now: Record<string, unknown> = { ...before, ...set }
  for (const key of gone) delete now[key]
  return now
}
