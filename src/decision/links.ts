import type { EventData } from '../events/event.ts'

/**
 * From which earlier event an event follows. Events form chains (a rollout, a turn, an instance that starts); each event
 * of a chain follows from the one before it. The names of chains are texts that only the rooms' tables of links use.
 */
export interface Link {
  /** Chains that the event follows from without being part of them. The first open chain of `after` and `in` counts. */
  after?: readonly string[]
  /** Open chains that it continues. */
  in?: readonly string[]
  /** Chains that begin, or begin again, with it. */
  opens?: readonly string[]
  /** Chains of which it is the last event. */
  ends?: readonly string[]
}

/** How a room links each event that it adds to the log. */
export type Links<Added> = { [T in keyof Added]: (data: Added[T]) => Link }

export type EveryLink = Links<EventData>

/** The chains that events of several rooms belong to. */
export const chainOf = {
  instance: (id: string) => `instance ${id}`,
  turn: (service: string, machine: string) => `turn ${service} ${machine}`,
  /** The machine does not report. */
  lost: (machine: string) => `lost ${machine}`,
  /** The machine is out of traffic. */
  away: (machine: string) => `away ${machine}`,
  /** The machine joined, reports again, or is back in traffic. */
  back: (machine: string) => `back ${machine}`,
  /** Maintenance or an upgrade works on the machine. */
  work: (machine: string) => `work ${machine}`,
}
