import { z } from 'zod'

/** A field that a schema does not have, and the fields that it has at that place. */
export interface UnknownField {
  path: string
  name: string
  known: string[]
}

/**
 * The first field of `value` that `schema` does not have, at any depth; `null` when there is none. Users' calls are
 * refused for it, because a call that ignores a misspelt option does something other than requested. Agents' bodies
 * stay tolerant (ADR 11).
 */
export function unknownField(schema: z.ZodType, value: unknown, path = ''): UnknownField | null {
  if (typeof value !== 'object' || value === null) return null
  if (schema instanceof z.ZodObject) {
    const shape = schema.shape as Record<string, z.ZodType> // its values are schemas, by its kind
    for (const [name, inside] of Object.entries(value)) {
      const field = Object.hasOwn(shape, name) ? shape[name] : undefined
      if (!field) return { path, name, known: Object.keys(shape) }
      const found = unknownField(field, inside, path === '' ? name : `${path}.${name}`)
      if (found) return found
    }
    return null
  }
  const inside = insideOf(schema)
  if (!inside) return null
  if (inside.isMany) return firstOf(value, (one, key) => unknownField(inside.schema, one, `${path}.${key}`))
  return unknownField(inside.schema, value, path)
}

function firstOf(value: object, look: (one: unknown, key: string) => UnknownField | null): UnknownField | null {
  for (const [key, one] of Object.entries(value)) {
    const found = look(one, key)
    if (found) return found
  }
  return null
}

/** The schema that another one wraps, or contains many of; `null` for a schema without fields. */
function insideOf(schema: z.ZodType): { schema: z.ZodType; isMany: boolean } | null {
  const of = (inner: unknown, isMany: boolean) => ({ schema: inner as z.ZodType, isMany }) // zod's own, by its kind
  if (schema instanceof z.ZodArray) return of(schema.element, true)
  if (schema instanceof z.ZodRecord) return of(schema.valueType, true)
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return of(schema.unwrap(), false)
  }
  if (schema instanceof z.ZodPipe) return of(schema.out, false)
  return null
}
