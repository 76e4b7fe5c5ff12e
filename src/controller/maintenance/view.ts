import type { MaintenanceView } from '../../api/maintenance.ts'
import type { Maintenance, MaintenanceState } from '../../maintenance/state.ts'

/** The running maintenance, or the last one, as users see it. */
export const lastMaintenance = ({ maintenance }: MaintenanceState): MaintenanceView | null =>
  maintenance && maintenanceView(maintenance)

function maintenanceView(maintenance: Maintenance): MaintenanceView {
  const { id, kind, script, state, reason, startedAt, finishedAt, machines, done, at } = maintenance
  const stateOf = (machine: string): MaintenanceView['machines'][number]['state'] =>
    done.includes(machine) ? 'done' : at?.machine === machine ? at.step : 'waiting'
  return {
    ...{ id, kind, script: script?.name ?? null, state, reason },
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: finishedAt === null ? null : new Date(finishedAt).toISOString(),
    machines: machines.map((machine) => ({ machine, state: stateOf(machine) })),
  }
}

/** For the status: a maintenance that is over needs nobody's attention. */
export const maintenanceStatus = ({ maintenance }: MaintenanceState): MaintenanceView | null =>
  maintenance && maintenance.state !== 'completed' ? maintenanceView(maintenance) : null
