import type { PastStatus } from '../../api/past.ts'
import type { Status } from '../../api/views.ts'
import type { Paint } from '../paint.ts'
import { renderStatus } from './status.ts'

type AsOf = PastStatus['asOf']

/** The line above everything that is of the past. */
export const asOfLine = ({ position, at }: AsOf, paint: Paint): string =>
  paint('yellow', `as of position ${position}, ${at ?? 'before the first event'}`)

/** The time from which ages of the past count. */
export const timeOf = ({ at }: AsOf): number => (at === null ? 0 : Date.parse(at))

/** As `renderStatus`, without the columns that the event log does not hold. */
export function renderPastStatus(past: PastStatus, { paint, whole }: { paint: Paint; whole: boolean }): string {
  const { asOf } = past
  const shown = renderStatus(asStatus(past), { now: timeOf(asOf), paint, whole, isPast: true })
  const missing =
    'not recorded: reports, problems, versions and load of machines; ports, restarts and work of instances'
  return [asOfLine(asOf, paint), shown, '', paint('dim', missing)].join('\n')
}

/** The fields that are filled in belong to columns that are not shown. */
function asStatus(past: PastStatus): Status {
  const { controller, machines, services } = past
  return {
    ...past,
    controller: { ...controller, version: controller.version ?? 'not started', problems: [] },
    machines: machines.map((machine) => ({ ...machine, problems: [] })),
    services: services.map((service) => ({
      ...service,
      instances: service.instances.map((instance) => ({ ...instance, restarts: 0, work: 0 })),
    })),
  }
}
