import { z } from 'zod'

/*
 * A message as its difference from the message before it on the same connection. Each key of a message holds a list, a
 * record, or any other value, which is sent as it is. A list is described by runs of the list before and by new items;
 * a record by its changed entries. The receiver builds the whole message from both, so parts that did not change cost
 * neither side anything. All values are JSON.
 */

/** Items `[from, to)` of the list before; each of them is used once at most. */
const runSchema = z.tuple([z.int().nonnegative(), z.int().nonnegative()])
const listSchema = z.array(z.union([runSchema, z.object({ item: z.unknown() })]))
const recordSchema = z.object({ set: z.record(z.string(), z.unknown()), gone: z.array(z.string()) })

export const differenceSchema = z.object({
  set: z.record(z.string(), z.unknown()),
  lists: z.record(z.string(), listSchema),
  records: z.record(z.string(), recordSchema),
  /** Keys that the message has no more. */
  gone: z.array(z.string()),
})

export type Difference = z.infer<typeof differenceSchema>
export type ListDifference = z.infer<typeof listSchema>
export type RecordDifference = z.infer<typeof recordSchema>
export type Values = Readonly<Record<string, unknown>>

/** A value of `undefined` counts as a missing one, as in JSON. */
export function differenceOf(before: Values, now: Values): Difference {
  const difference: Difference = { set: {}, lists: {}, records: {}, gone: goneFrom(before, now) }
  for (const [key, value] of entriesOf(now)) {
    const known = Object.hasOwn(before, key) ? before[key] : undefined
    if (known === value) continue
    if (Array.isArray(value) && Array.isArray(known)) {
      const list = listDifference(known, value)
      if (list) difference.lists[key] = list
    } else if (isRecord(value) && isRecord(known)) {
      const record = recordDifference(known, value)
      if (record) difference.records[key] = record
    } else if (!isSame(known, value)) difference.set[key] = value
  }
  return difference
}

/** `null`: the same items in the same order. Only items between the first and the last change are compared by text. */
function listDifference(before: readonly unknown[], now: readonly unknown[]): ListDifference | null {
  const most = Math.min(before.length, now.length)
  let start = 0
  while (start < most && isSame(before[start], now[start])) start++
  if (start === before.length && start === now.length) return null
  let end = 0
  while (end < most - start && isSame(before.at(-1 - end), now.at(-1 - end))) end++
  const list = runsAndItems(before, now.slice(start, now.length - end), [start, before.length - end])
  if (start > 0) list.unshift([0, start])
  if (end > 0) list.push([before.length - end, before.length])
  return list
}

/** Describes items by those of the list before in `[from, to)`. */
function runsAndItems(
  before: readonly unknown[],
  now: readonly unknown[],
  [from, to]: [number, number],
): ListDifference {
  const places = new Map(before.slice(from, to).map((item, index) => [textOf(item), from + index]))
  const list: ListDifference = []
  for (const item of now) {
    const text = textOf(item)
    const index = places.get(text)
    places.delete(text)
    const last = list.at(-1)
    if (index === undefined) list.push({ item })
    else if (Array.isArray(last) && last[1] === index) last[1]++
    else list.push([index, index + 1])
  }
  return list
}

/** `null`: the same entries; their order does not count. */
function recordDifference(before: Values, now: Values): RecordDifference | null {
  const known = new Map(entriesOf(before))
  const set = entriesOf(now).filter(([key, value]) => !known.has(key) || !isSame(known.get(key), value))
  const gone = goneFrom(before, now)
  return set.length === 0 && gone.length === 0 ? null : { set: Object.fromEntries(set), gone }
}

const entriesOf = (values: Values): [string, unknown][] =>
  Object.entries(values).filter(([, value]) => value !== undefined)

function goneFrom(before: Values, now: Values): string[] {
  const left = new Set(entriesOf(now).map(([key]) => key))
  return entriesOf(before).flatMap(([key]) => (left.has(key) ? [] : [key]))
}

const isSame = (one: unknown, other: unknown): boolean => one === other || textOf(one) === textOf(other)

/** Most parts of a message are the same objects as in the messages before. */
const texts = new WeakMap<object, string>()

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  let text = texts.get(value)
  if (text === undefined) texts.set(value, (text = JSON.stringify(value)))
  return text
}

const isRecord = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
