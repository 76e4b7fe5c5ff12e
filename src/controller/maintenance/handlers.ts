import type { maintenanceOperations, MaintenanceView } from '../../api/maintenance.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Controller } from '../controller.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { lastMaintenance } from './view.ts'

export function maintenanceHandlers({ controller }: Rooms): Handlers<keyof typeof maintenanceOperations> {
  const position = (): number => controller.state.position
  return {
    startMaintenance: ({ body }) => ({
      request: () => ({ type: 'StartMaintenance', maintenance: controller.newId().slice(0, 8), ...body }),
      answer: () => ({ position: position(), maintenance: knownMaintenance(controller) }),
    }),
    maintenance: () => ({ maintenance: lastMaintenance(controller.state) }),
    resumeMaintenance: ({ body }) => ({
      request: () => ({ type: 'ResumeMaintenance', ...body }),
      answer: () => ({ position: position(), maintenance: knownMaintenance(controller) }),
    }),
    stopMaintenance: () => ({
      request: () => ({ type: 'StopMaintenance' }),
      answer: () => ({ position: position(), maintenance: lastMaintenance(controller.state) }),
    }),
  }
}

function knownMaintenance({ state }: Controller): MaintenanceView {
  const view = lastMaintenance(state)
  if (!view) throw new OperatorError('E_BUG', 'a maintenance was started but is unknown')
  return view
}
