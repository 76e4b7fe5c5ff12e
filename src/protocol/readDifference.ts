import { z } from 'zod'
import type { Difference, ListDifference, RecordDifference, Values } from './difference.ts'

/** A difference builds upon another message than the one before. The sender must send the whole message. */
export class BaseMismatch extends Error {}

/**
 * Builds the message that follows `before`, which was read by the same schema. Checks only new values, and shares all
 * others with `before`. Ignores keys that the schema does not have, as the schema does. Throws `BaseMismatch`, or the
 * error of the schema.
 */
export function readDifference<Shape extends z.ZodRawShape>(
  { shape }: z.ZodObject<Shape>,
  before: z.output<z.ZodObject<Shape>>,
  { set, lists, records, gone }: Difference,
): z.output<z.ZodObject<Shape>> {
  const known: Values = before
  const now: Record<string, unknown> = { ...known }
  const schemas = new Map<string, z.ZodType>(Object.entries(shape) as [string, z.ZodType][]) // by the bound of Shape
  for (const [key, value] of Object.entries(set)) {
    const schema = schemas.get(key)
    if (schema) now[key] = schema.parse(value)
  }
  for (const [key, list] of Object.entries(lists)) {
    const schema = schemas.get(key)
    if (schema) now[key] = readList(schema, known[key], list)
  }
  for (const [key, record] of Object.entries(records)) {
    const schema = schemas.get(key)
    if (schema) now[key] = readRecord(schema, known[key], record)
  }
  for (const key of gone) {
    const value = schemas.get(key)?.parse(undefined)
    if (value === undefined) delete now[key]
    else now[key] = value
  }
  return now as z.output<z.ZodObject<Shape>> // each changed value was read by its schema
}

function readList(schema: z.ZodType, before: unknown, list: ListDifference): unknown[] {
  if (!Array.isArray(before)) throw new BaseMismatch('the message before has no such list')
  const known: readonly unknown[] = before
  const items = schema.parse(list.flatMap((part) => (Array.isArray(part) ? [] : [part.item])))
  if (!Array.isArray(items)) throw new BaseMismatch('this is no list')
  let left = known.length
  const added = items.values()
  return list.flatMap((part): unknown[] => {
    if (!Array.isArray(part)) return [added.next().value]
    const [from, to] = part
    left -= to - from
    if (from >= to || to > known.length || left < 0) throw new BaseMismatch(`the list has no items ${from} to ${to}`)
    return known.slice(from, to)
  })
}

function readRecord(schema: z.ZodType, before: unknown, { set, gone }: RecordDifference): unknown {
  if (typeof before !== 'object' || before === null) throw new BaseMismatch('the message before has no such record')
  const added = isOpen(schema) ? schema.parse(set) : set
  const now: Record<string, unknown> = { ...before, ...Object(added) }
  for (const key of gone) delete now[key]
  // An object with fixed keys is small, and is read as a whole.
  return isOpen(schema) ? now : schema.parse(now)
}

/** A record whose keys are names, and whose entries are read one by one. */
const isOpen = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodDefault ? isOpen(schema.unwrap() as z.ZodType) : schema instanceof z.ZodRecord // zod's own
