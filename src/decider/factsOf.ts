import type { Moment } from '../decision/moment.ts'
import type { Event } from '../events/event.ts'
import type { Report } from '../protocol/report.ts'
import { rooms } from './rooms.ts'
import type { World } from './rooms.ts'

/** The facts in a machine's report that the log does not know yet. */
export const factsOf = (world: World, report: Report, moment: Moment): Event[] =>
  rooms.flatMap((room) => room.facts?.(world, report, moment) ?? [])
