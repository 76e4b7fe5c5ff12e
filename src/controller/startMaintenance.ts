import type { Operations, Parsed, Result } from '../api/contract.ts'
import type { MaintenanceView } from '../api/views.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Controller, Request } from './controller.ts'
import type { Deciding } from './deciding.ts'
import { maintenanceView } from './maintenanceView.ts'

type Body = Parsed<Operations['startMaintenance']>['body']

export function startMaintenance(controller: Controller, body: Body): Deciding<Result<Operations['startMaintenance']>> {
  const maintenance = controller.newId().slice(0, 8)
  return {
    request: () => requestOf(controller, maintenance, body),
    answer: () => ({ position: controller.state.position, maintenance: knownMaintenance(controller) }),
  }
}

/**
 * Refuses machines that reported that they cannot be maintained. The check is here because the last reports are not in
 * the log.
 */
function requestOf(controller: Controller, maintenance: string, { machines: named, ...about }: Body): Request {
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
  return { type: 'StartMaintenance', maintenance, machines, ...about }
}

export const lastMaintenance = ({ state }: Controller): MaintenanceView | null =>
  state.maintenance && maintenanceView(state.maintenance)

export function knownMaintenance(controller: Controller): MaintenanceView {
  const view = lastMaintenance(controller)
  if (!view) throw new Error('a maintenance was started but is unknown: a bug')
  return view
}
