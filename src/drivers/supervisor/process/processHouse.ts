import type { Clock } from '../../../lib/clock.ts'
import type { Cgroups } from '../cgroup/cgroups.ts'
import type { SupervisorLimits } from '../limits.ts'
import type { RecordShelf } from './instanceRecord.ts'
import type { ProcessTable } from './processTable.ts'

/** Resources that all instances of a machine share. */
export interface ProcessHouse {
  /** Folder for the named pipes, which exist only for a moment. */
  runFolder: string
  clock: Clock
  limits: SupervisorLimits
  table: ProcessTable
  cgroups: Cgroups
  records: RecordShelf
  runAs: { uid: number; gid: number } | undefined
}
