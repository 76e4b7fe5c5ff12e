import type { Operations, Parsed, Result } from '../api/contract.ts'
import type { MaintenanceView } from '../api/views.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Controller } from './controller.ts'
import { maintenanceView } from './maintenanceView.ts'

/**
 * Refuses machines that reported that they cannot be maintained. The check is here because the last reports are not in
 * the log.
 */
export function startMaintenance(
  controller: Controller,
  { machines: named, ...about }: Parsed<Operations['startMaintenance']>['body'],
): Result<Operations['startMaintenance']> {
  const machines = named.length > 0 ? [...new Set(named)] : Object.keys(controller.state.machines).toSorted()
  const unable = machines.find((machine) => controller.observed[machine]?.report.maintains === false)
  if (unable !== undefined) {
    throw new OperatorError('E_CANNOT_MAINTAIN', `the agent of machine ${unable} cannot maintain its machine`, {
      subject: unable,
      next: 'Tandem can restart only machines that joined and run their services under systemd',
    })
  }
  if (machines.length === 0) {
    const next = 'tandem machine add NAME   prints the command with which a machine joins'
    throw new OperatorError('E_NO_SUCH_MACHINE', 'no machine has joined yet', {
      subject: controller.config.cluster,
      next,
    })
  }
  const maintenance = controller.newId().slice(0, 8)
  controller.execute({ type: 'StartMaintenance', maintenance, machines, ...about })
  return { position: controller.state.position, maintenance: knownMaintenance(controller) }
}

export const lastMaintenance = ({ state }: Controller): MaintenanceView | null =>
  state.maintenance && maintenanceView(state.maintenance)

export function knownMaintenance(controller: Controller): MaintenanceView {
  const view = lastMaintenance(controller)
  if (!view) throw new Error('a maintenance was started but is unknown: a bug')
  return view
}
