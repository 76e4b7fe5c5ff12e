import type { Report } from '../../protocol/report.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Preparer } from './preparer.ts'

/** Runs the one-off `prepare` of a rollout. */
export const preparing = (preparer: Preparer): MachineFeature<Pick<Report, 'prepared'>> => ({
  want: (desired) => preparer.want(desired),
  retry: (desired) => {
    if (desired) preparer.retry()
  },
  report: () => ({ prepared: preparer.report() }),
  close: () => preparer.close(),
})
