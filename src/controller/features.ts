import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import type { featureOperations, featureStatus } from '../api/features.ts'
import type { largeFeatureOperations } from '../api/largeFeatures.ts'
import type { Status } from '../api/views.ts'
import type { Checkup } from '../protocol/checkup.ts'
import type { Orders } from '../protocol/slices.ts'
import type { Snapshots } from '../store/snapshots.ts'
import { Accesses } from './access/accesses.ts'
import { accessHandlers } from './access/handlers.ts'
import { addressViews } from './addresses/view.ts'
import type { Asks } from './asks.ts'
import type { Channels } from './channels.ts'
import { ChecksKeeper, type Sources as CheckupSources } from './checks/checksKeeper.ts'
import { checksHandlers } from './checks/handlers.ts'
import { clusterHandlers } from './cluster/handlers.ts'
import { settingsOrders } from './cluster/orders.ts'
import { configHandlers } from './config/handlers.ts'
import type { Controller } from './controller.ts'
import { releaseDefinitionHandlers } from './definitions/handlers.ts'
import { filesHandlers } from './files/handlers.ts'
import { Renders } from './files/renders.ts'
import { CallCounter } from './firewall/callCounter.ts'
import { withRefusals } from './firewall/checkup.ts'
import { firewallHandlers } from './firewall/handlers.ts'
import { unguarded } from './firewall/view.ts'
import type { Handlers, Rooms } from './handlers.ts'
import { lastWordsHandlers } from './lastWords/handlers.ts'
import { LastWordsKeeper } from './lastWords/lastWordsKeeper.ts'
import { maintenanceHandlers } from './maintenance/handlers.ts'
import { maintenanceOrders } from './maintenance/orders.ts'
import { maintenanceStatus } from './maintenance/view.ts'
import { mapHandlers } from './map/handlers.ts'
import { namesHandlers } from './names/handlers.ts'
import { noteHandlers, noteViews } from './notes/handlers.ts'
import { numbersHandlers } from './numbers/handlers.ts'
import { NumbersKeeper } from './numbers/numbersKeeper.ts'
import { RolloutRecorder } from './numbers/rolloutRecorder.ts'
import { pastOf } from './past/past.ts'
import { askRequirements } from './requirements/askRequirements.ts'
import { withLacks } from './requirements/checkup.ts'
import { addBackup } from './secrets/backupCall.ts'
import { withSecrets } from './secrets/checkup.ts'
import { secretHandlers } from './secrets/handlers.ts'
import { openSecrets, type SecretOptions } from './secrets/openSecrets.ts'
import { secretViews } from './secrets/view.ts'
import { sessionHandlers } from './sessions/handlers.ts'
import type { Sign, Unsigned } from './signing.ts'
import { tailHandlers } from './tails/handlers.ts'
import { Tails } from './tails/tails.ts'
import { upgradeHandlers } from './upgrade/handlers.ts'
import { programOrders } from './upgrade/orders.ts'
import { startUpgrades, upgradeProgress, type UpgradeOptions } from './upgrade/start.ts'

interface Parts {
  controller: Controller
  logger: Logger
  /** The controller's data. */
  data: string
  snapshots: Snapshots | null
  database: DatabaseSync
  options: FeatureOptions
}

/** Here a feature hangs its own things into those that every call may use. */
export const makeFeatureRooms = ({ data, snapshots, database, options, ...parts }: Parts) => ({
  numbers: new NumbersKeeper(parts),
  rolloutRecords: new RolloutRecorder({ ...parts, folder: join(data, 'rollout-numbers') }),
  lastWords: new LastWordsKeeper({ ...parts, folder: join(data, 'last-words') }),
  tails: new Tails(parts),
  renders: new Renders(parts),
  checks: new ChecksKeeper(parts),
  calls: new CallCounter({ ...parts, folder: join(data, 'calls') }),
  past: pastOf({ ...parts, snapshots }),
  accesses: new Accesses(parts),
  ...openSecrets({ ...parts, data, database, options }),
})

export type FeatureRooms = ReturnType<typeof makeFeatureRooms>

/** Begins their work, once the agents can be asked. */
export function startFeatureRooms(
  { numbers, rolloutRecords, past, tails, renders, checks, accesses }: FeatureRooms,
  { asks, channels }: { asks: Asks; channels: Channels },
  checkups: CheckupSources,
): void {
  checks.start(checkups)
  tails.start(asks)
  renders.start(asks)
  accesses.start({ asks, channels })
  past.start()
  numbers.onSample((sample, before) => rolloutRecords.take(sample, before))
  numbers.start((machine, ask, signal) => asks.ask(machine, ask, signal))
}

export async function closeFeatureRooms({ numbers, lastWords, past, checks, calls }: FeatureRooms): Promise<void> {
  checks.close()
  numbers.close()
  lastWords.close()
  calls.close()
  await past.close()
}

/** Here it asks the machines that are to run a release, before a rollout begins. */
export const askMachines = askRequirements

/** Here it adds its findings to the controller's own checkup. */
export async function featureCheckup(
  own: Checkup,
  controller: Controller,
  { calls }: FeatureRooms,
  asks: Asks,
): Promise<Checkup> {
  const refusals = withRefusals(own, controller.state, controller.observed, calls.counts, controller.now())
  const saved = withSecrets(refusals, controller.state, controller.now())
  return withLacks(saved, controller, asks)
}

/** Here it hangs in the handlers of its calls, */
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
  ...secretHandlers(rooms),
  ...configHandlers(rooms),
  ...filesHandlers(rooms),
  ...tailHandlers(rooms),
  ...checksHandlers(rooms),
})

/** its part of the status, */
export const featureViews = ({ state }: Pick<Controller, 'state'>): Pick<Status, keyof typeof featureStatus> => ({
  maintenance: maintenanceStatus(state),
  addresses: addressViews(state),
  notes: noteViews(state),
})

/** its part of a service's view, */
export const featureServiceViews = secretViews

/** what it cannot hold on any machine of this cluster, */
export const featureLimits = ({ state }: Pick<Controller, 'state'>): string[] => unguarded(state)

/** its transfers, which are not JSON, */
export const addFeatureTransfers = addBackup

/** the work that it does beside calls, */
export const startFeatures = startUpgrades
/** who hears how far a start has come, */
export const featureProgress = upgradeProgress
export type FeatureOptions = UpgradeOptions & SecretOptions

/** and the orders that the privileged helper of a machine must verify. */
export const featureOrders = (desired: Unsigned, sign: Sign): Orders => ({
  ...maintenanceOrders(desired, sign),
  ...settingsOrders(desired, sign),
  ...programOrders(desired, sign),
})
