import type { Report } from '../../protocol/report.ts'
import type { MachineWork } from './machineWork.ts'
import type { MachineFeature } from '../machineFeature.ts'

/** Works on the machine itself: scripts and restarts. */
export const maintenance = (
  work: MachineWork,
  maintains: boolean,
): MachineFeature<Pick<Report, 'maintenance' | 'maintains'>> => ({
  want: ({ maintenance: asked, orders }) => work.want(asked, orders),
  report: () => ({ maintenance: work.report(), maintains }),
  close: () => work.close(),
})
