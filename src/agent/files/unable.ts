import type { Report } from '../../protocol/report.ts'
import { filesAbility } from '../../protocol/files.ts'
import type { MachineFeature } from '../machineFeature.ts'

/** A machine that cannot fill in files yet: its privileged helper would have to. */
export const unable = (): MachineFeature<Pick<Report, 'rendered' | 'renderFailures'>> => ({
  want: () => {},
  lacks: () => [filesAbility.name],
  report: () => ({ rendered: [], renderFailures: [] }),
})
