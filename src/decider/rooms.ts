import { access } from '../access/room.ts'
import { addresses } from '../addresses/room.ts'
import { initialBase, type Base, type Config } from '../decision/base.ts'
import { config } from '../config/room.ts'
import type { EveryLink } from '../decision/links.ts'
import type { Room } from '../decision/room.ts'
import type { EveryWord } from '../decision/words.ts'
import type { EventType } from '../events/event.ts'
import { firewall } from '../firewall/room.ts'
import { fleet } from '../fleet/room.ts'
import { maintenance } from '../maintenance/room.ts'
import { names } from '../names/room.ts'
import { notes } from '../notes/room.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'
import { rollout } from '../rollout/room.ts'
import { secrets } from '../secrets/room.ts'
import { upgrade } from '../upgrade/room.ts'
import { leadership } from './leadership.ts'

/**
 * All decision rooms, in the order in which they decide what follows: losses of machines come first, because everything
 * else depends on the machines that are still there. The state, the commands and the desired state are made of this
 * table.
 */
const table = [
  leadership,
  fleet,
  maintenance,
  addresses,
  rollout,
  upgrade,
  notes,
  names,
  firewall,
  access,
  secrets,
  config,
] as const

type Entry = (typeof table)[number]
type Merged<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never
type CommandsOf<Table> = Table extends unknown
  ? {
      [T in keyof Table]: Table[T] extends (world: never, command: infer C, moment: never) => unknown ? C : never
    }[keyof Table]
  : never
type SliceOf<R> = R extends { desire: (...of: never) => infer Slice } ? keyof Slice : never
type FoldedBy<R> = R extends { folds: infer Table } ? keyof Table : never

/** The whole state: a fold of the event log, nothing else. Each room owns its keys. */
export type World = Base & Merged<Entry['initial']>

/**
 * A request that may be refused. `at` is the controller's wall clock in ms; ids are made outside and come with the
 * command.
 */
export type Command =
  | CommandsOf<Entry['commands']>
  | { type: 'RecordReport'; at: number; report: Report }
  | { type: 'RecoverLog'; at: number; id: string; version: string; without: readonly string[] }

/** The compiler objects to a slice that no room wants. */
export type Wanted = Pick<MachineDesire, SliceOf<Entry>>

type Unfolded = Exclude<EventType, FoldedBy<Entry>>

/** The compiler objects to an event type that no room folds. */
export const everyEventIsFolded: [Unfolded] extends [never] ? true : Unfolded = true

/** How each event reads to people. The compiler objects to an event type that no room words. */
export const words: EveryWord = Object.assign({}, ...table.map((room) => room.words)) as Merged<Entry['words']> // their sum

/** From which earlier event each one follows. The compiler objects to an event type that no room links. */
export const links: EveryLink = Object.assign({}, ...table.map((room) => room.links)) as Merged<Entry['links']> // their sum

export const rooms: readonly Room<World, Partial<World>, never, never>[] = table

export const initialWorld = (config: Config): World =>
  Object.assign(initialBase(config), ...table.map(({ initial }) => initial)) as World // Merged is their sum
