import { addressesStatus } from './addresses.ts'
import { clusterOperations } from './cluster.ts'
import { maintenanceOperations, maintenanceStatus } from './maintenance.ts'
import { noteOperations, notesStatus } from './notes.ts'
import { upgradeOperations } from './upgrade.ts'

/** Here a feature hangs its calls into the API, */
export const featureOperations = {
  ...maintenanceOperations,
  ...upgradeOperations,
  ...clusterOperations,
  ...noteOperations,
}

/** and its part into the answer of `status`. */
export const featureStatus = {
  ...maintenanceStatus,
  ...addressesStatus,
  ...notesStatus,
}
