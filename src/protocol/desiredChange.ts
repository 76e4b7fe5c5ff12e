import { z } from 'zod'
import { position } from './basics.ts'
import { desiredStateSchema, type DesiredState } from './desiredState.ts'
import { differenceOf, differenceSchema } from './difference.ts'
import { BaseMismatch } from '../lib/following.ts'
import { readDifference } from './readDifference.ts'

/**
 * A desired state as its difference from the one before on the same stream. Sent only to an agent that asked for
 * changes when it opened the stream: an older agent would ignore the message. Each stream begins with a whole state.
 */
export const desiredChangeSchema = differenceSchema.extend({
  /** The position of the state before. Positions grow along a stream, so it names one state. */
  after: position,
})

export type DesiredChange = z.infer<typeof desiredChangeSchema>

/** How an agent asks for changes when it opens its stream. */
export const changesQuery = { changes: 'yes' } as const

export const desiredChange = (before: DesiredState, now: DesiredState): DesiredChange => ({
  after: before.position,
  ...differenceOf(before, now),
})

/** Throws `BaseMismatch` where `before` is not the state that the change follows. */
export function readDesiredChange(before: DesiredState | null, change: unknown): DesiredState {
  const { after, ...difference } = desiredChangeSchema.parse(change)
  if (before?.position !== after)
    throw new BaseMismatch(`a change follows the desired state at ${after}, not ${before?.position ?? 'none'}`)
  return readDifference(desiredStateSchema, before, difference)
}
