import { z } from 'zod'
import { BaseMismatch, following, isRun } from '../lib/following.ts'
import type { Difference, ListDifference, RecordDifference } from './difference.ts'

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
  const schemas = new Map<string, z.ZodType>(Object.entries(shape) as [string, z.ZodType][]) // by the bound of Shape
  const read = <T>(entries: Record<string, T>, by: (schema: z.ZodType, entry: T) => T): Record<string, T> =>
    Object.fromEntries(
      Object.entries(entries).flatMap(([key, entry]) => {
        const schema = schemas.get(key)
        return schema ? [[key, by(schema, entry)]] : []
      }),
    )
  const now = following(before, {
    set: read(set, (schema, value) => schema.parse(value)),
    lists: read(lists, readItems),
    records: read(records, readEntries),
    gone: [],
  })
  // An object with fixed keys is small, and is read as a whole.
  for (const key of Object.keys(records)) {
    const schema = schemas.get(key)
    if (schema && !isOpen(schema)) now[key] = schema.parse(now[key])
  }
  for (const key of gone) {
    const value = schemas.get(key)?.parse(undefined)
    if (value === undefined) delete now[key]
    else now[key] = value
  }
  return now as z.output<z.ZodObject<Shape>> // each changed value was read by its schema
}

function readItems(schema: z.ZodType, list: ListDifference): ListDifference {
  const items = schema.parse(list.flatMap((part) => (isRun(part) ? [] : [part.item])))
  if (!Array.isArray(items)) throw new BaseMismatch('this is no list')
  const added = items.values()
  return list.map((part) => (isRun(part) ? part : { item: added.next().value as unknown }))
}

const readEntries = (schema: z.ZodType, { set, gone }: RecordDifference): RecordDifference => ({
  set: isOpen(schema) ? (schema.parse(set) as RecordDifference['set']) : set, // a record's schema reads records
  gone,
})

/** A record whose keys are names, and whose entries are read one by one. */
const isOpen = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodDefault ? isOpen(schema.unwrap() as z.ZodType) : schema instanceof z.ZodRecord // zod's own
