import type { Clock } from '../../../lib/clock.ts'
import type { Cgroups } from '../cgroup/cgroups.ts'
import type { SupervisorLimits } from '../limits.ts'
import type { RecordShelf } from './instanceRecord.ts'
import type { ProcessTable } from './processTable.ts'

/** What all instances of a machine share. */
export interface ProcessHouse {
  /** Where named pipes are for a moment. */
  runFolder: string
  clock: Clock
  limits: SupervisorLimits
  table: ProcessTable
  cgroups: Cgroups
  records: RecordShelf
  runAs: { uid: number; gid: number } | undefined
}
