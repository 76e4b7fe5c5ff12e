import { z } from 'zod'
import { readVersion } from '../lib/version.ts'
import type { Kept, KeptGroup, KeptKey } from './shapes/kept.ts'

// Only code that takes definitions over a wire or from a disk imports this file: zod costs the command line a third of its start.

/** Whether a key that this version does not know is an error or ignored. */
type Unknown = 'refused' | 'dropped'

/** By default a stored form with an unknown key is refused: the key may open or close something. */
export function schemaOf(kept: Kept, unknown: Unknown = 'refused'): z.ZodType {
  switch (kept.kind) {
    case 'text':
      return checked(textSchema(kept), kept.refuse)
    case 'number': {
      const number = (kept.whole ? z.int() : z.number()).min(kept.least).max(kept.most)
      return kept.refuse ? checked(number, kept.refuse) : number
    }
    case 'flag':
      return kept.only ? z.literal(true) : z.boolean()
    case 'choice':
      return z.enum(kept.words)
    case 'list': {
      const list = z.array(schemaOf(kept.item, unknown)).min(kept.least).max(kept.most)
      return kept.distinct ? list.refine((items) => new Set(items).size === items.length, 'holds a value twice') : list
    }
    case 'map':
      return mapSchema(kept, unknown)
    case 'group':
      return groupSchema(kept, unknown)
    case 'either':
      return eitherSchema(kept.of, unknown)
  }
}

/**
 * Schemas of a group's values, as a receiver checks them whose sender has checked more: of texts and lists only the types,
 * because a later version of the sender may allow more.
 */
export const typesOf = ({ keys }: KeptGroup): Record<string, z.ZodType> =>
  Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, withAbsence(typeOf(key.kept), key)]))

function typeOf(kept: Kept): z.ZodType {
  if (kept.kind === 'text' || kept.kind === 'choice') return z.string()
  return kept.kind === 'list' ? z.array(typeOf(kept.item)) : schemaOf(kept, 'dropped')
}

function groupSchema({ keys }: KeptGroup, unknown: Unknown): z.ZodType {
  const shape = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, keySchema(key, unknown)]))
  if (unknown === 'dropped') return z.object(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `Tandem ${readVersion()} does not know the key ${issue.keys.join(', ')}`
        : undefined,
  })
}

/** The first form whose needed keys are all there decides, so that a problem is reported of the form that was meant. */
function eitherSchema(forms: readonly KeptGroup[], unknown: Unknown): z.ZodType {
  const schemas = forms.map((form) => groupSchema(form, unknown))
  const meant = (value: unknown): number => {
    const isMeant = ({ keys }: KeptGroup): boolean =>
      Object.entries(keys).every(([name, { omitted }]) => omitted || Object.hasOwn(value as object, name))
    return typeof value === 'object' && value !== null ? Math.max(0, forms.findIndex(isMeant)) : 0
  }
  return z.unknown().transform((value, context) => {
    const parsed = (schemas[meant(value)] as z.ZodType).safeParse(value) // `meant` is one of them
    if (parsed.success) return parsed.data
    for (const { message, path } of parsed.error.issues) context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  })
}

const keySchema = (key: KeptKey, unknown: Unknown): z.ZodType => withAbsence(schemaOf(key.kept, unknown), key)

function withAbsence(schema: z.ZodType, { nullable, omitted, fallback }: KeptKey): z.ZodType {
  const value = nullable ? schema.nullable() : schema
  if (fallback !== undefined) return value.default(fallback)
  return omitted ? value.optional() : value
}

const textSchema = ({ least, most, pattern }: Extract<Kept, { kind: 'text' }>): z.ZodString => {
  const bounded = z.string().min(least).max(most)
  return pattern ? bounded.regex(pattern) : bounded
}

function mapSchema({ value, most, keys, refuseKey }: Extract<Kept, { kind: 'map' }>, unknown: Unknown): z.ZodType {
  // The keys are checked before zod copies them: `__proto__` would vanish in the copy.
  const keysAreValid = (map: unknown): boolean =>
    typeof map === 'object' &&
    map !== null &&
    Object.keys(map).length <= most &&
    Object.keys(map).every((key) => refuseKey(key) === null)
  const record = z.record(z.string().regex(keys), schemaOf(value, unknown))
  const { $schema: _, ...description } = z.toJSONSchema(record, { io: 'input', unrepresentable: 'any' })
  return z
    .custom<Record<string, unknown>>(
      keysAreValid,
      'is not a map, has too many entries, or has a name that is not allowed',
    )
    .pipe(record)
    .meta(description)
}

function checked<T extends z.ZodType>(schema: T, refuse: (value: never) => string | null): T {
  return schema.superRefine((value, context) => {
    const problem = refuse(value as never) // the kind of `kept` decides the type of both
    if (problem !== null) context.addIssue({ code: 'custom', message: problem })
  })
}
