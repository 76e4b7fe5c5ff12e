import type { Asked } from './base.ts'
import type { Report } from '../protocol/report.ts'
import type { Observed } from './observed.ts'
import { refuse, type Refusal } from './refuse.ts'

/** Everything beside the state that a decision depends on. */
export interface Moment {
  observed: Observed
  /** Time by the controller's clock in milliseconds, stamped on the events. */
  at: number
  /** The same time, or `null` while nothing may be decided by time yet. */
  now: number | null
  self: ControllerSelf
  /** The operations on machines in progress, the most telling one first. */
  operations: readonly Operation[]
  /** For the state of this moment. */
  directing: BoundDirecting
}

/** The controller's own program; an upgrade changes it like that of a machine. */
export interface ControllerSelf {
  version: string
  program: Report['program']
  /** Its log was restored from a backup, and it has not adopted what the machines run yet. */
  awaitsMachines: boolean
}

/** An operation on machines. At most one is in progress in a cluster. */
export interface Operation {
  /** The room that has it in progress. */
  room: string
  /** The machine that is worked on now: no turn continues meanwhile. `null`: none at the moment. */
  machine: string | null
  /** A larger operation may have begun it: that one tells more. */
  isStep?: true
  /** No turn begins either while no machine is worked on. */
  holdsNewTurns: boolean
  /** Why nothing else may begin, in words. */
  message: string
  next: string
}

export interface Objection {
  message: string
  next: string
}

/**
 * Requests that a room directs to machines by another way than the balancers forward them. A machine that leaves the
 * traffic gives them up, and a machine that returns takes them again.
 */
export interface Directing<World> {
  /** Why no other machine would take this machine's requests; `null`: another one would, or there are none. */
  alone: (world: World, machine: string, moment: Moment) => Objection | null
  hasLeft: (world: World, machine: string, since: Asked, moment: Moment) => boolean
  /** Why the machine does not take its requests again yet; `null`: it does, or there are none. */
  whyNotBack: (world: World, machine: string, since: Asked, moment: Moment) => string | null
  /** How long the machine may take to give requests up, or to take them; `null`: the usual time. */
  moveMs: (world: World, machine: string) => number | null
}

/** The same for one state. */
export type BoundDirecting = {
  [K in keyof Directing<never>]: Directing<never>[K] extends (world: never, ...rest: infer R) => infer A
    ? (...rest: R) => A
    : never
}

/** A machine is worked on: no turn continues meanwhile. */
export const isMachineBusy = ({ operations }: Moment): boolean => operations.some(({ machine }) => machine !== null)

/** A maintenance waits for the turns in progress, and no other turn begins between its machines. */
export const holdsNewTurns = ({ operations }: Moment): boolean =>
  operations.some(({ machine, holdsNewTurns: holds }) => machine !== null || holds)

/** The one rule that at most one operation on machines is in progress. */
export function refuseBusy({ operations }: Moment, subject: string): Refusal | null {
  const [first] = operations
  return first ? refuse('E_MACHINE_BUSY', first.message, subject, first.next) : null
}
