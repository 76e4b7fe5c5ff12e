import { z } from 'zod'
import { checkupSchema } from './checkup.ts'
import { renderAsk } from './files.ts'
import { machineNumbersSchema } from './numbers.ts'
import { signedContentSchema } from './serviceOrders.ts'
import { terminalSchema } from './terminal.ts'
import { requirementFactsSchema, requirementsAsk } from './requirements.ts'
import { definitionSchema } from '../definitions/definitionSchema.ts'

const command = {
  id: z.string(),
  service: z.string(),
  release: z.string(),
  /** The definition of that release, overlays applied: the machine may run nothing of the service. */
  definition: definitionSchema,
  argv: z.array(z.string()).min(1),
  /** With whose secrets and configuration it runs; left out: the service has neither, or the controller is older. */
  generation: z.string().optional(),
  /** `commandOrderSchema`, signed for the privileged helper; left out: the controller has no certificate, or is older. */
  order: signedContentSchema.optional(),
}

/**
 * A question of the controller to one agent, sent down the agent's stream and answered by a streamed POST. Only agents
 * open connections, so a machine needs no open port for this. A later `cancel` with the same id ends the answer.
 */
export const askSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('logs'),
    id: z.string(),
    service: z.string(),
    instance: z.string().nullable(),
    since: z.string().nullable(),
    last: z.int().nullable(),
    follow: z.boolean(),
  }),
  /** Runs a one-off command over the byte channel that waits under the same id. */
  z.object({ kind: z.literal('command'), ...command }),
  /** The same, with the output answered in lines: the request of controllers from before byte channels. */
  z.object({ kind: z.literal('run'), ...command }),
  /** Requests a checkup of this machine. The answer is first the machine's clock, then the checkup. */
  z.object({ kind: z.literal('checkup'), id: z.string() }),
  /** Requests the counts and the load of this machine, once. */
  z.object({ kind: z.literal('numbers'), id: z.string() }),
  z.object({ kind: z.literal('requirements'), id: z.string(), ...requirementsAsk }),
  z.object({ kind: z.literal('render'), id: z.string(), ...renderAsk }),
  /**
   * Runs a program beside an instance, in a copy of its jail, over the byte channel under the same id. The answer is how
   * that ended. `argv: null`: a shell.
   */
  z.object({
    kind: z.literal('access'),
    ...{ id: z.string(), service: z.string(), instance: z.string() },
    argv: z.array(z.string()).min(1).nullable(),
    /** `null`: the program gets pipes. */
    terminal: terminalSchema.nullable(),
    /** As that of a command. */
    order: signedContentSchema.optional(),
  }),
  /** Connects to a port of an instance, and carries the connection over the byte channel under the same id. */
  z.object({
    kind: z.literal('connect'),
    ...{ id: z.string(), service: z.string(), instance: z.string(), port: z.int().min(1).max(65_535) },
  }),
  z.object({ kind: z.literal('cancel'), id: z.string() }),
])
export type Ask = z.infer<typeof askSchema>

/** The instance id of a one-off command: the lines about its start and end are in the logs under this id. */
export const commandInstance = (service: string, id: string): string => `${service}-run-${id}`

export const accessInstance = (service: string, id: string): string => `${service}-access-${id}`

/** How a shell, a command or a forward of a person ended. */
export const accessEndSchema = z.object({
  /**
   * `exited`: on its own; `left`: the person's side was gone; `stopped`: its instance was stopped; `failed`: it could
   * not start, or nobody knows.
   */
  how: z.enum(['exited', 'left', 'stopped', 'failed']),
  code: z.int().nullable(),
  signal: z.string().nullable(),
  /** Empty for `exited` and `left`. */
  reason: z.string(),
})
export type AccessEnd = z.infer<typeof accessEndSchema>

/** A question from a newer controller that this version does not know. */
export interface UnknownAsk {
  kind: 'unknown'
  id: string
}

/** Only a question without an id is an error: an unknown question gets the answer that it is unknown. */
export function readAsk(json: unknown): Ask | UnknownAsk {
  const known = askSchema.safeParse(json)
  return known.success ? known.data : { kind: 'unknown', id: z.object({ id: z.string() }).parse(json).id }
}

/** One line of an answer. `exit` ends a run, `end` ends any answer. */
export const answerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('line'),
    at: z.string(),
    service: z.string(),
    instance: z.string(),
    stream: z.enum(['out', 'err', 'tandem']),
    text: z.string(),
  }),
  z.object({ kind: z.literal('exit'), code: z.int().nullable(), signal: z.string().nullable() }),
  z.object({ kind: z.literal('error'), code: z.string(), message: z.string() }),
  /** When the machine's own clock was read, in ms since 1970. */
  z.object({ kind: z.literal('clock'), at: z.number() }),
  z.object({ kind: z.literal('checkup'), checkup: checkupSchema }),
  z.object({ kind: z.literal('numbers'), numbers: machineNumbersSchema }),
  z.object({ kind: z.literal('requirements'), facts: requirementFactsSchema }),
  /** The text of each file. */
  z.object({ kind: z.literal('rendered'), files: z.record(z.string(), z.string()) }),
  z.object({ kind: z.literal('over'), end: accessEndSchema }),
  z.object({ kind: z.literal('end') }),
])
export type Answer = z.infer<typeof answerSchema>
