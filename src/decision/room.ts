import type { Event, EventType, RecordedEvent } from '../events/event.ts'
import type { Report } from '../protocol/report.ts'
import type { Asked, Base } from './base.ts'
import type { Directing, Moment, Operation } from './moment.ts'
import type { Decision } from './refuse.ts'

/*
 * A DECISION ROOM is one subject of the controller, as a value: the part of the state that it owns, how it folds events
 * into that part, and what it decides. `World` is the state that the room may read: its own part, and the parts of other
 * rooms that it names. Every function is pure and synchronous. src/decider/ runs all rooms in one loop.
 */
export interface Room<World extends Base, Own> {
  name: string
  initial: Own
  folds: Folds<World, Own>
  /** The facts in a machine's report that the log does not know yet. */
  facts?: (world: World, report: Report, moment: Moment) => Event[]
  /** Everything that follows now; decided again until nothing more follows. */
  advance?: (world: World, moment: Moment) => Event[]
  /** The next time at which this room decides something, in milliseconds by the controller's clock; may be infinite. */
  deadline?: (world: World, moment: Moment) => number
  /** The operation on machines that this room has in progress. */
  operation?: (world: World) => Operation | null
  directing?: Directing<World>
}

/** How a room folds each event that concerns it: returns the changed part. `world` is the state before the event. */
export type Folds<World, Own> = {
  [T in EventType]?: (world: World, event: Recorded<T>, asked: Asked) => Partial<Own>
}

export type Recorded<T extends EventType> = Extract<RecordedEvent, { type: T }>

/** How a room decides each command that it knows. */
export type Deciders<World, Command extends { type: string }> = {
  [T in Command['type']]: (
    world: World,
    command: Extract<Command, { type: T }> & { at: number },
    moment: Moment,
  ) => Decision
}
