import { z } from 'zod'
import { longestOrder } from '../identity/order.ts'
import { stopSignals } from '../definitions/bounds.ts'
import type { Jail, Limits } from '../definitions/definition.ts'
import { jailSchema, limitsSchema } from '../definitions/definitionSchema.ts'
import { environmentNamePattern, namePattern } from '../definitions/names.ts'

const longestMs = 366 * 24 * 3_600_000
const withoutNul = z
  .string()
  .max(256 * 1024)
  .refine((text) => !text.includes('\0'), 'holds a NUL character')
/** Excludes characters that could end a word or a line of a unit, and paths that could lead out of a folder. */
const path = z
  .string()
  .max(4096)
  .regex(/^\/[^\s"'\\:%\p{Cc}]*$/u)
  .refine((text) => !text.split('/').includes('..'), 'contains `..`')

export const instanceIdShape = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
export const releaseShape = z.string().regex(/^[0-9a-f]{64}$/)
export const keyShape = z.string().min(1).max(200)
export const serviceShape = z.string().regex(namePattern)
export const unitShape = z
  .string()
  .max(200)
  .regex(/^tandem-[A-Za-z0-9._-]+\.service$/)
export const portShape = z.int().min(1).max(65_535)
/** The unit's own timeout plus the margin of the caller that waits for it. */
export const timeoutShape = z
  .int()
  .min(1)
  .max(longestMs + 600_000)
/** A control group as systemd names it. */
export const groupShape = z
  .string()
  .max(1_000)
  .regex(/^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9@:._\\-]+)+$/)

const environmentShape = z.record(z.string().regex(environmentNamePattern), withoutNul)
const besideShape = z.strictObject({ instance: instanceIdShape, env: environmentShape })
export const terminalSizeShape = z.strictObject({ rows: z.int().min(1).max(9_999), columns: z.int().min(1).max(9_999) })

/** Content that the controller signed. The definitions of all generations of a service are far below the limit. */
export const carriedShape = z.strictObject({ order: z.string().max(longestOrder), content: z.string().max(2_000_000) })

export const generationShape = z.string().max(200)

/** An instance as written to a unit. `release` names its folder, so the caller can choose no path. */
export const instanceShapeOf = (limits: z.ZodType<Limits>, jail: z.ZodType<Jail>) =>
  z.strictObject({
    id: instanceIdShape,
    service: serviceShape,
    release: releaseShape,
    argv: z.array(withoutNul).min(1).max(1_000),
    env: environmentShape,
    limits,
    stop: z.strictObject({ signal: z.enum(stopSignals), withinMs: z.int().min(0).max(longestMs) }),
    once: z.boolean().optional(),
    attached: z.boolean().optional(),
    isRepeated: z.boolean().optional(),
    callsServices: z.boolean().optional(),
    notify: z
      .strictObject({
        withinMs: z.int().min(0).max(longestMs),
        watchdogMs: z.int().min(1_000).max(longestMs).nullable(),
      })
      .optional(),
    jail: jail.optional(),
    secrets: z.strictObject({ generation: generationShape }).optional(),
    beside: besideShape.optional(),
  })
export const instanceShape = instanceShapeOf(limitsSchema, jailSchema)

/** `cwd` and `executable`: of an agent from before the helper made the folders of releases. */
export const unsignedShape = z.strictObject({
  spec: instanceShape.extend({ cwd: path.optional() }),
  executable: path.optional(),
})
