import type { RolloutView, Status } from '../api/views.ts'
import type { Definition } from '../definitions/definition.ts'
import type { ReleaseDescription } from '../releases/releaseDescription.ts'
import { exec, forward, shell } from './access/routes.ts'
import { addressLines } from './addresses/render.ts'
import { guard } from './addresses/routes.ts'
import { cluster } from './cluster/routes.ts'
import { pinnedConfig } from './config/render.ts'
import { config } from './config/routes.ts'
import { fill, render } from './files/routes.ts'
import { firewall } from './firewall/routes.ts'
import { maintenanceLine } from './maintenance/render.ts'
import { maintainMachine, maintenance } from './maintenance/routes.ts'
import { map } from './map/routes.ts'
import { names, resolve } from './names/routes.ts'
import { noteLines } from './notes/render.ts'
import { note } from './notes/routes.ts'
import { knownSecrets, type SecretWork } from './secrets/known.ts'
import { newerSecrets, pinnedSecrets } from './secrets/versionsInWords.ts'
import { secrets } from './secrets/routes.ts'
import type { Paint } from './paint.ts'
import { upgrade } from './upgrade/routes.ts'

/** Here a feature hangs in its work on this computer itself, */
export type FeatureWork = SecretWork

/** its names that a word may be completed to, */
export const featureKnown = { secrets: knownSecrets }

/** its consequences of a change of the cluster file, */
const planParts = async () => [(await import('./firewall/plan.ts')).planRefusals]

/** its commands into a group of `tandem --help`, */
export const featureCommands = {
  machines: { maintenance },
  cluster: { cluster: cluster(planParts), secrets, upgrade },
  looking: { names, resolve, map, firewall, shell, exec, forward },
  services: { config, render },
}

/** into `tandem machine`, */
export const featureMachineCommands = { ...maintainMachine, note }

/** into `tandem agent`, */
export const featureAgentCommands = { guard, fill }

/** its checks of a release before it is published, */
export async function featureContentChecks(
  definition: Definition,
  folder: string,
  description: ReleaseDescription,
): Promise<void> {
  if (definition.files) (await import('./files/checkTemplates.ts')).checkTemplates(definition, folder, description)
}

/** and of the folder beside a definition, */
export async function featureFolderChecks(definition: Definition, folder: string): Promise<void> {
  if (definition.files) (await import('./files/checkTemplates.ts')).checkWrittenTemplates(definition, folder)
}

/** a line below the headline of the status, */
export const featureLines = (status: Status, paint: Paint): string[] =>
  status.maintenance ? [maintenanceLine(status.maintenance, paint)] : []

/** a line of a service in it, */
export const featureServiceLines = newerSecrets

/** lines of a rollout, */
export const featureRolloutLines = (rollout: RolloutView): string[] => [
  ...pinnedSecrets(rollout),
  ...pinnedConfig(rollout),
]

/** lines below the table of machines, */
export const featureMachineLines = (status: Status, now: number, paint: Paint): string[] =>
  noteLines(status, now, paint)

/** and sections of the status. */
export const featureSections = ({ addresses }: Status, now: number, paint: Paint): string[][] => [
  addressLines(addresses, now, paint),
]
