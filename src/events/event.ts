/** A fact that happened, as it is appended. `at` is ISO 8601 with milliseconds, by the controller's clock. */
export type Event = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

/** An event to append, with where it comes from. */
export type NewEvent = Event & Origin

/** An event in the log. Positions grow by one, except where a recovery left a gap on purpose. */
export type RecordedEvent = NewEvent & { position: number; at: string }

/** Where an event comes from. `null`: a version of Tandem recorded it that did not know; such events have both `null`. */
export interface Origin {
  /** Name of the token whose call led to the event, or the machine that reported it (`machine a`). Absent: Tandem decided it on its own. */
  by?: string | null
  /** Position of the event that it follows from. Absent: it follows from no event. */
  cause?: number | null
}

export type EventType = keyof EventData

/**
 * The data of each type of event. Every room adds its own events, from the file beside this one that declares them
 * (`declare module`). The table of rooms (src/decider/rooms.ts) is compared with all of them.
 */
export interface EventData {}

/** The name under which a machine calls; no token has such a name. */
export const machineCaller = (machine: string): string => `machine ${machine}`

/** Whether a machine made the call; otherwise a token did. */
export const isMachineCaller = (by: string): boolean => by.startsWith(machineCaller(''))
