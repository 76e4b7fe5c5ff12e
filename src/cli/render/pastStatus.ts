import { asStatus, type PastStatus } from '../../api/past.ts'
import type { Paint } from '../paint.ts'
import { asOfLine, timeOf } from './asOf.ts'
import { renderStatus } from './status.ts'

/** As `renderStatus`, without the columns that the event log does not hold. */
export function renderPastStatus(past: PastStatus, { paint, whole }: { paint: Paint; whole: boolean }): string {
  const { asOf } = past
  const shown = renderStatus(asStatus(past), { now: timeOf(asOf), paint, whole, isPast: true })
  const missing =
    'not recorded: reports, problems, versions and load of machines; ports, restarts and work of instances'
  return [asOfLine(asOf, paint), shown, '', paint('dim', missing)].join('\n')
}
