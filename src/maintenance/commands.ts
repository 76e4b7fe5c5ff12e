import type { MaintenanceKind, MaintenanceScript } from '../events/maintenanceEvents.ts'

export type MaintenanceCommand =
  | StartMaintenance
  | { type: 'ResumeMaintenance'; force: boolean }
  | { type: 'StopMaintenance' }

export interface StartMaintenance {
  type: 'StartMaintenance'
  maintenance: string
  kind: MaintenanceKind
  /** In the order of their turns; none: all machines, by name. */
  machines: string[]
  script: MaintenanceScript | null
  restart: boolean
  /** Whether the maintenance may interrupt a service. */
  force: boolean
}
