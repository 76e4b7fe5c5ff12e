import type { ControllerSelf, Moment } from '../decision/moment.ts'
import { earliestDecision, type Observed } from '../decision/observed.ts'
import { accepted, type Decision } from '../decision/refuse.ts'
import { advance, applyAll } from './advance.ts'
import { factsOf } from './factsOf.ts'
import { momentOf, type Given } from './moment.ts'
import { recoverLog } from './recoverLog.ts'
import { rooms, type Command, type World } from './rooms.ts'
import { refuseUnable } from './unable.ts'

/** Everything known beside the log. */
export interface Known {
  observed: Observed
  self: ControllerSelf
}

/** `direct`: the number of events, at the beginning, that the command itself led to; the others follow from these. */
export type Decided =
  | Exclude<Decision, { type: 'accepted' }>
  | (Extract<Decision, { type: 'accepted' }> & { direct: number })

/**
 * Decides one command against everything known: the state folded from the log, and the machines' newest reports (which
 * already contain this command's report). Returns the events to append, nothing to do, or the reason for a refusal.
 * Pure: the same arguments give the same answer.
 */
export function decide(world: World, known: Known, command: Command): Decided {
  const given = givenAt(world, known, command)
  const direct = decideCommand(world, command, momentOf(world, given))
  if (direct.type === 'refused') return direct
  const events = direct.type === 'accepted' ? direct.events : []
  const after = applyAll(world, events, command.at)
  const refusal = isRequest(command) && events.length > 0 ? refuseUnable(world, after, momentOf(after, given)) : null
  if (refusal) return refusal
  // A restored log may be in the middle of something that has ended long ago.
  const following = known.self.awaitsMachines ? [] : advance(after, given)
  if (direct.type === 'nothing' && following.length === 0) return direct
  return { ...direct, type: 'accepted', events: [...events, ...following], direct: events.length }
}

/** The next time at which something is decided, in ms by the controller's clock; infinite when nothing waits. */
export function nextDeadline(world: World, known: Known): number {
  const moment = momentOf(world, { ...known, at: Number.NaN, now: null })
  const earliest = earliestDecision(world, known.observed)
  return Math.max(earliest, Math.min(...rooms.map((room) => room.deadline?.(world, moment) ?? Infinity)))
}

/** Facts cannot be refused: they have happened. */
const isRequest = ({ type }: Command): boolean => type !== 'RecordReport' && type !== 'RecoverLog'

/** Only the passing of time decides by time. */
function givenAt(world: World, known: Known, { type, at }: Command): Given {
  const mayDecide = type === 'TimePassed' && at >= earliestDecision(world, known.observed)
  return { ...known, at, now: mayDecide ? at : null }
}

function decideCommand(world: World, command: Command, moment: Moment): Decision {
  if (command.type === 'RecordReport') return accepted(...factsOf(world, command.report, moment))
  if (command.type === 'RecoverLog') return recoverLog(world, command, moment)
  // The type Command is made of the rooms' tables, so one of them has this type of command.
  const decider = deciders.get(command.type) as (world: World, command: Command, moment: Moment) => Decision
  return decider(world, command, moment)
}

const deciders = new Map(rooms.flatMap(({ commands }) => Object.entries(commands)))
