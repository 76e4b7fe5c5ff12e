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
