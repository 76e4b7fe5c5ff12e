import { accessOperations } from './access.ts'
import { releaseDefinitionOperations } from './releaseDefinition.ts'
import { addressesStatus, addressProblems } from './addresses.ts'
import { maintenanceOperations, maintenanceStatus, whyLeftOut } from './maintenance.ts'
import { namesOperations } from './names.ts'
import { noteOperations, notesStatus } from './notes.ts'
import { upgradeOperations } from './upgrade.ts'

/** Here a feature hangs its calls into the API (`largeFeatures.ts` has those that most commands do not make), */
export const featureOperations = {
  ...releaseDefinitionOperations,
  ...maintenanceOperations,
  ...upgradeOperations,
  ...noteOperations,
  ...namesOperations,
  ...accessOperations,
}

/** its part into the answer of `status`, */
export const featureStatus = {
  ...maintenanceStatus,
  ...addressesStatus,
  ...notesStatus,
}

/** its problems, which `status` and the page show, */
export const featureProblems = addressProblems

/** and the reason why a machine is out of traffic, with the next steps; `null`: no feature knows one. */
export const whyOutOfTraffic = whyLeftOut
