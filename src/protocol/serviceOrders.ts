import { z } from 'zod'
import { definitionSchema } from '../definitions/definitionSchema.ts'
import { terminalSchema } from './terminal.ts'
import { name, releaseId } from './basics.ts'

/*
 * Orders about the programs of services. The controller signs them for the privileged helper of one machine, which
 * makes the command line, environment and jail of each program itself: the agent, through which they pass, could have
 * been taken over. On a laptop nothing is signed, and the agent goes by the other parts of the desired state.
 */

/** Content that the controller signed for a machine, as text, because its bytes were signed. */
export const signedContentSchema = z.object({
  /** One line of JSON (identity/order.ts). */
  order: z.string(),
  content: z.string(),
})
export type SignedContent = z.infer<typeof signedContentSchema>

/** Everything of which a program of a release is made, except the machine's own facts and its port: see `ProgramPart`. */
const describedSchema = z.object({
  release: releaseId,
  /** Overlays applied. */
  definition: definitionSchema,
  variables: z.record(z.string(), z.string()).default({}),
  settings: z.record(z.string(), z.string()).default({}),
  callsServices: z.boolean().default(false),
  /** Whether it has secrets; which ones is in an order of its own (secrets.ts). */
  hasSecrets: z.boolean().default(false),
  more: z.record(z.string(), z.unknown()).default({}),
})
export type DescribedProgram = z.infer<typeof describedSchema>

/** The programs of one service that may run on one machine. */
export const serviceOrderSchema = z.object({
  service: name,
  generations: z.record(name, describedSchema),
  /** The generation of each instance. */
  instances: z.record(name, name),
  /** The generations whose `prepare` is to run here. */
  prepare: z.array(name),
})
export type ServiceOrder = z.infer<typeof serviceOrderSchema>

/** One program that a person asked for: it may start once, and soon. */
export const commandOrderSchema = z.object({
  /** Of its unit. */
  id: name,
  service: name,
  /** When it was signed, in milliseconds since 1970. */
  at: z.number(),
  generation: name.nullable(),
  program: describedSchema,
  /** The instance beside which it runs, with its environment; `null`: it runs on its own. */
  instance: name.nullable(),
  /** `null`: a shell. */
  argv: z.array(z.string()).min(1).nullable(),
  terminal: terminalSchema.nullable(),
})
export type CommandOrder = z.infer<typeof commandOrderSchema>

/** For how long after it was signed a command may start, in milliseconds. */
export const commandOrderMs = 60_000
