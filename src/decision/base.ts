/** The part of the state that belongs to the log itself: every room may read it. */
export interface Base {
  config: Config
  position: number
  terms: TermRecord[]
  /** When deadlines and silences began to count again: at the last start, clock jump or stall. Milliseconds. */
  clockSince: number
  /** Position of that event: waits from before it count from there. */
  clockPosition: number
}

export interface Config {
  cluster: string
  /** On a laptop every http service also answers at SERVICE.localhost. */
  laptop: boolean
}

/** One leadership: see `terms` of the desired state. */
export interface TermRecord {
  term: number
  id: string
  start: number
  recovered: boolean
}

/** A point in the log that a wait counts from. */
export interface Asked {
  position: number
  at: number
}

export const initialBase = (config: Config): Base => ({
  ...{ config, position: 0, terms: [], clockSince: 0, clockPosition: 0 },
})

/**
 * When a wait began, in milliseconds by the current clock. A wait from before the last start, clock jump or stall
 * counts from that event: its own time may lie in the future of a clock that was set back.
 */
export const countsFrom = ({ clockPosition, clockSince }: Base, asked: Asked): number =>
  asked.position > clockPosition ? asked.at : clockSince
