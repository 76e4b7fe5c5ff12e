import { z } from 'zod'
import type { HostDriver } from '../../drivers/host/host.ts'
import { createSystemdHost } from '../../drivers/host/systemdHost.ts'
import { scriptsFolder } from '../../layout/maintenance.ts'
import type { HelperContext } from '../helperContext.ts'
import { operation, type Operations } from '../operation.ts'
import { orderShape } from '../orders.ts'
import { beginScript, forgetScript, lookAtScript, restartMachine, scriptShape } from './maintenance.ts'

export interface MaintenanceParts {
  host: HostDriver
}

export const openMaintenance = ({ folder }: HelperContext): MaintenanceParts => ({
  host: createSystemdHost(scriptsFolder(folder.path)),
})

/** Scripts and restarts of the machine itself, by signed orders. */
export const maintenanceOperations = (parts: MaintenanceParts & Pick<HelperContext, 'folder' | 'now'>): Operations => ({
  'script.begin': operation(
    z.strictObject({ script: scriptShape, order: orderShape }),
    (args) => beginScript(parts, args),
    'script',
  ),
  'script.look': operation(scriptShape, (script) => lookAtScript(parts, script)),
  'script.forget': operation(scriptShape, (script) => forgetScript(parts, script), 'script'),
  'machine.restart': operation(z.strictObject({ order: orderShape }), (args) => restartMachine(parts, args), 'script'),
})
