import { z } from 'zod'

/** One request that the unprivileged agent may make to the privileged helper. */
export interface Operation {
  shape: z.ZodType
  run: (args: never) => Promise<unknown>
  /** Operations with the same key run one after the other, in order of arrival; `null` runs at once. */
  turn: (args: never) => string | null
}

export type Operations = Record<string, Operation>

/** Typed together, so that `run` gets exactly the values that `shape` has accepted. */
export const operation = <T>(
  of: z.ZodType<T>,
  run: (args: T) => Promise<unknown>,
  turn: string | ((args: T) => string) | null = null,
): Operation => ({ shape: of, run, turn: typeof turn === 'function' ? turn : () => turn })

export const noArguments = z.strictObject({})
export const noAnswer = z.null()
/** Longest wait of the agent for an operation that may take minutes. */
export const longMs = 600_000
