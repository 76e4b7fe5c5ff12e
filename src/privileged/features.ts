import { addressOperations, openAddresses, type AddressParts } from './addresses/operations.ts'
import { examineOperations } from './examine.ts'
import { haproxyOperations, openHaproxy, type HaproxyParts } from './haproxy/operations.ts'
import type { HelperContext } from './helperContext.ts'
import { maintenanceOperations, openMaintenance, type MaintenanceParts } from './maintenance/operations.ts'
import type { Operations } from './operation.ts'
import { openPrograms, programOperations, type ProgramParts } from './program/operations.ts'
import { openServices } from './services/openServices.ts'
import { serviceOperations, type ServiceParts } from './services/operations.ts'
import { settingsOperations } from './settings/operations.ts'

/** Everything that the operations work with. */
export type HelperParts = Pick<HelperContext, 'folder' | 'now' | 'examine'> &
  ServiceParts &
  AddressParts &
  HaproxyParts &
  MaintenanceParts &
  ProgramParts

export const openParts = (context: HelperContext): HelperParts => ({
  ...context,
  ...openServices(context),
  ...openAddresses(context),
  ...openHaproxy(context),
  ...openMaintenance(context),
  ...openPrograms(context),
})

/**
 * All operations that the unprivileged agent may request from the privileged helper. There is nothing else: no text of
 * a unit or of a configuration, no unchecked path, no command. docs/decisions/012-least-privilege.md explains why each
 * is harmless.
 */
export const operations = (parts: HelperParts): Operations => ({
  ...serviceOperations(parts),
  ...addressOperations(parts),
  ...haproxyOperations(parts),
  ...settingsOperations(parts),
  ...examineOperations(parts),
  ...maintenanceOperations(parts),
  ...programOperations(parts),
})
