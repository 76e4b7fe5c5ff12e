import type { featureOperations, featureStatus } from '../api/features.ts'
import type { largeFeatureOperations } from '../api/largeFeatures.ts'
import type { Status } from '../api/views.ts'
import type { Orders } from '../protocol/slices.ts'
import { accessHandlers } from './access/handlers.ts'
import { addressViews } from './addresses/view.ts'
import { checksHandlers } from './checks/handlers.ts'
import { clusterHandlers } from './cluster/handlers.ts'
import { settingsOrders } from './cluster/orders.ts'
import type { Controller } from './controller.ts'
import type { Handlers, Rooms } from './handlers.ts'
import { firewallHandlers } from './firewall/handlers.ts'
import { unguarded } from './firewall/view.ts'
import { releaseDefinitionHandlers } from './definitions/handlers.ts'
import { lastWordsHandlers } from './lastWords/handlers.ts'
import { maintenanceHandlers } from './maintenance/handlers.ts'
import { maintenanceOrders } from './maintenance/orders.ts'
import { maintenanceStatus } from './maintenance/view.ts'
import { numbersHandlers } from './numbers/handlers.ts'
import { mapHandlers } from './map/handlers.ts'
import { namesHandlers } from './names/handlers.ts'
import { noteHandlers, noteViews } from './notes/handlers.ts'
import { sessionHandlers } from './sessions/handlers.ts'
import { tailHandlers } from './tails/handlers.ts'
import type { Sign, Unsigned } from './signedOrders.ts'
import { upgradeHandlers } from './upgrade/handlers.ts'
import { programOrders } from './upgrade/orders.ts'
import { startUpgrades, upgradeProgress, type UpgradeOptions } from './upgrade/start.ts'

/** Here a feature hangs in the handlers of its calls, */
export const featureHandlers = (
  rooms: Rooms,
): Handlers<keyof typeof featureOperations | keyof typeof largeFeatureOperations> => ({
  ...maintenanceHandlers(rooms),
  ...upgradeHandlers(rooms),
  ...clusterHandlers(rooms),
  ...noteHandlers(rooms),
  ...namesHandlers(rooms),
  ...accessHandlers(rooms),
  ...mapHandlers(rooms),
  ...firewallHandlers(rooms),
  ...numbersHandlers(rooms),
  ...lastWordsHandlers(rooms),
  ...releaseDefinitionHandlers(rooms),
  ...sessionHandlers(rooms),
  ...tailHandlers(rooms),
  ...checksHandlers(rooms),
})

/** its part of the status, */
export const featureViews = ({ state }: Pick<Controller, 'state'>): Pick<Status, keyof typeof featureStatus> => ({
  maintenance: maintenanceStatus(state),
  addresses: addressViews(state),
  notes: noteViews(state),
})

/** what it cannot hold on any machine of this cluster, */
export const featureLimits = ({ state }: Pick<Controller, 'state'>): string[] => unguarded(state)

/** the work that it does beside calls, */
export const startFeatures = startUpgrades
/** who hears how far a start has come, */
export const featureProgress = upgradeProgress
export type FeatureOptions = UpgradeOptions

/** and the orders that the privileged helper of a machine must verify. */
export const featureOrders = (desired: Unsigned, sign: Sign): Orders => ({
  ...maintenanceOrders(desired, sign),
  ...settingsOrders(desired, sign),
  ...programOrders(desired, sign),
})
