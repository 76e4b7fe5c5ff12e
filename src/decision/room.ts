import type { Event, EventData, EventType, RecordedEvent } from '../events/event.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'
import type { Asked, Base } from './base.ts'
import type { Links } from './links.ts'
import type { Directing, Moment, Operation } from './moment.ts'
import type { Decision } from './refuse.ts'
import type { Words } from './words.ts'

/*
 * A DECISION ROOM is one subject of the controller, as a value: the part of the state that it owns, how it folds events
 * into that part, the commands that it decides, and what it wants of a machine. `World` is the state that the room may
 * read: its own part, and the parts of other rooms that it names. Every function is pure and synchronous. src/decider/
 * runs all rooms in one loop.
 */
export interface Room<World extends Base, Own, Command extends { type: string }, Slice extends keyof MachineDesire> {
  name: string
  initial: Own
  folds: Folds<World, Own>
  commands: Deciders<World, Command>
  /** How each event that this room adds to the log reads to people. */
  words: object
  /** From which earlier event each of them follows. */
  links: object
  /** The facts in a machine's report that the log does not know yet. */
  facts?: (world: World, report: Report, moment: Moment) => Event[]
  /** Everything that follows now; decided again until nothing more follows. */
  advance?: (world: World, moment: Moment) => Event[]
  /** The next time at which this room decides something, in milliseconds by the controller's clock; may be infinite. */
  deadline?: (world: World, moment: Moment) => number
  /** The operation on machines that this room has in progress. */
  operation?: (world: World) => Operation | null
  directing?: Directing<World>
  /** Releases that this room still needs: the store must not collect them. */
  keeps?: (world: World) => readonly string[]
  /** This room's slices of the desired state of a machine. */
  desire: (world: World, machine: string) => Pick<MachineDesire, Slice>
}

/** How a room folds each event that concerns it: returns the changed part. `world` is the state before the event. */
export type Folds<World, Own> = {
  [T in EventType]?: (world: World, event: Recorded<T>, asked: Asked) => Partial<Own>
}

export type Recorded<T extends EventType> = Extract<RecordedEvent, { type: T }>

/** How a room decides each of its commands. */
export type Deciders<World, Command extends { type: string }> = {
  [T in Command['type']]: (
    world: World,
    command: Extract<Command, { type: T }> & { at: number },
    moment: Moment,
  ) => Decision
}

/**
 * A room of which the compiler knows which events it folds. `Added`: the types of events that this room adds to the log.
 * It folds all of them; it may also fold those of other rooms.
 */
export const roomOf =
  <
    World extends Base,
    Own,
    Added extends Partial<EventData>,
    Command extends { type: string } = never,
    Slice extends keyof MachineDesire = never,
  >() =>
  <F extends Folds<World, Own> & Record<keyof Added, unknown>>(
    room: Room<World, Own, Command, Slice> & { folds: F; words: Words<Added>; links: Links<Added> },
  ): typeof room =>
    room
