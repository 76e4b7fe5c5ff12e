import type { Asked, State } from './state.ts'

/**
 * When a wait began, in milliseconds by the current clock. A wait from before the last start, clock jump or stall
 * counts from that event: its own time may lie in the future of a clock that was set back.
 */
export const countsFrom = (state: State, asked: Asked): number =>
  asked.position > state.clockPosition ? asked.at : state.clockSince
