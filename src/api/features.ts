import { addressesStatus, addressProblems } from './addresses.ts'
import { lastWordsOperations } from './lastWords.ts'
import { maintenanceOperations, maintenanceStatus, whyLeftOut } from './maintenance.ts'
import { numbersOperations } from './numbers.ts'
import { noteOperations, notesStatus } from './notes.ts'
import { sessionOperations } from './sessions.ts'
import { tailOperations } from './tails.ts'
import { upgradeOperations } from './upgrade.ts'

/** Here a feature hangs its calls into the API, */
export const featureOperations = {
  ...maintenanceOperations,
  ...upgradeOperations,
  ...noteOperations,
  ...numbersOperations,
  ...lastWordsOperations,
  ...sessionOperations,
  ...tailOperations,
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
