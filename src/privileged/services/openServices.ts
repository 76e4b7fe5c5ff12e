import { join } from 'node:path'
import { openDataFolders } from '../../drivers/supervisor/dataFolders.ts'
import { withUsers } from '../../drivers/supervisor/systemd/serviceUsers.ts'
import { openUnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { configurationFolder, dataRoot, dataRoots, permitsFile, secretsFolder } from '../../layout/folders.ts'
import { noHome } from '../../layout/users.ts'
import { unitFolder } from '../../layout/units.ts'
import { removeTree } from '../../releases/removeTree.ts'
import type { OwnFolders } from '../../releases/releaseFolders.ts'
import type { HelperContext } from '../helperContext.ts'
import { AcceptedOrders } from './acceptedOrders.ts'
import type { ServiceParts } from './operations.ts'
import { OrderedPrograms } from './orderedPrograms.ts'

export function openServices(
  folders: OwnFolders,
  { data, folder, unprivileged, isOwnUnit, users, guards, unitExtras, now }: HelperContext,
): ServiceParts {
  const orders = new AcceptedOrders({ folder, now })
  const releaseFolder = (release: string): string => folders.folder(release)
  return {
    unitExtras,
    ...{ unitFolder, isOwnUnit, secrets: secretsFolder, permits: permitsFile, releaseFolder, orders },
    ordered: new OrderedPrograms({
      ...{ orders, releaseFolder, machine: () => folder.readMachine().machine, env: baseEnvironment() },
      dataFolder: (service) => join(dataRoot, service),
    }),
    units: openUnitHost({
      ...{ unitFolder, environmentFolder: join(folder.path, 'environment') },
      ...{ hidden: [data, configurationFolder], streamsGroup: unprivileged.gid, users, guards },
    }),
    data: withUsers(openDataFolders(dataRoots, removeTree), users),
  }
}

/** The variables that programs inherit, as systemd gives them to the agent, whose user has no home. */
function baseEnvironment(): NodeJS.ProcessEnv {
  const { PATH, LANG, TZ } = process.env
  return { PATH, LANG, TZ, HOME: noHome }
}
