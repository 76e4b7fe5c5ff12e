import type { z } from 'zod'

/**
 * The part of the messages between controller and agent that belongs to one feature: keys of the desired state, and keys
 * of the report. Every key of `desire` beyond the first version has a default: an older controller does not send it.
 * Every key of `report` beyond the first version has one too: an older agent does not send it.
 */
export interface Slice {
  desire: z.ZodRawShape
  report: z.ZodRawShape
  /** Orders that the machine's privileged helper must verify, signed by the controller: see identity/order.ts. */
  orders?: z.ZodRawShape
  /** Its share in the order about a program, from the desired state of the machine. */
  program?: (desired: never, of: ProgramOf) => ProgramPart
}

export interface ProgramOf {
  release: string
  /** `null`: a command that runs without the configuration and secrets of a generation. */
  generation: string | null
}

/** The share of a feature in a program of a release, beside its definition. */
export interface ProgramPart {
  /** An empty one may stand in placeholders, but is not set. */
  variables?: Record<string, string>
  /** Variables, each as it is. */
  settings?: Record<string, string>
  /** It calls other services through the balancer of the machine. */
  callsServices?: boolean
  hasSecrets?: boolean
  /** By feature, the values that only its part of the privileged helper knows. */
  more?: Record<string, unknown>
}

/**
 * An ability that agents of the first version do not have. Without the check, such an agent would leave out part of its
 * work without a word.
 */
export interface Ability<Desire> {
  /** As agents report it. */
  name: string
  /** Follows "the machine cannot": "serve a local port". */
  words: string
  /** The same for what this desired state wants: "serve the local ports of redis"; `null`: it does not need the ability. */
  wanted: (desire: Desire) => string | null
}
