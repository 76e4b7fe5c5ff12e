import { z } from 'zod'
import { name } from './basics.ts'
import { differenceOf, differenceSchema } from './difference.ts'
import { BaseMismatch } from '../lib/following.ts'
import { readDifference } from './readDifference.ts'
import { reportSchema, type Report } from './report.ts'

/**
 * A report as its difference from one that the controller has taken in. An agent sends it only to a controller that said
 * in its answer to a whole report that it takes changes. The controller refuses a change where that report is not the
 * newest it has (it was restarted, or its answer was lost); the agent then sends the whole report.
 */
export const reportChangeSchema = differenceSchema.extend({
  machine: name,
  /** Identifies the report before. */
  boot: z.int().positive(),
  after: z.int().positive(),
})

export type ReportChange = z.infer<typeof reportChangeSchema>

export const reportChange = (before: Report, now: Report): ReportChange => ({
  ...{ machine: before.machine, boot: before.boot, after: before.seq },
  ...differenceOf(before, now),
})

/**
 * Throws `BaseMismatch` where `before` is not the report that the change follows, or where the report would be that of
 * another machine than the change says: the caller checks whether the sender may speak for that one.
 */
export function readReportChange(before: Report | undefined, change: ReportChange): Report {
  const { machine, boot, after, ...difference } = change
  if (before?.machine !== machine || before.boot !== boot || before.seq !== after)
    throw new BaseMismatch(`a change follows report ${after} of ${machine}`)
  const report = readDifference(reportSchema, before, difference)
  if (report.machine !== machine) throw new BaseMismatch(`a change of ${machine} makes a report of another machine`)
  return report
}
