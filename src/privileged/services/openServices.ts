import { join } from 'node:path'
import { openDataFolders } from '../../drivers/supervisor/dataFolders.ts'
import { withUsers } from '../../drivers/supervisor/systemd/serviceUsers.ts'
import { openUnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { releasesFolder } from '../../layout/dataFolder.ts'
import { configurationFolder, dataRoots, permitsFile, secretsFolder } from '../../layout/folders.ts'
import { unitFolder } from '../../layout/units.ts'
import { removeTree } from '../../releases/removeTree.ts'
import type { HelperContext } from '../helperContext.ts'
import type { ServiceParts } from './operations.ts'

export function openServices({
  data,
  folder,
  unprivileged,
  isOwnUnit,
  users,
  guards,
  unitExtras,
}: HelperContext): ServiceParts {
  return {
    unitExtras,
    ...{ unitFolder, isOwnUnit, secrets: secretsFolder, permits: permitsFile, releases: releasesFolder(data) },
    units: openUnitHost({
      ...{ unitFolder, environmentFolder: join(folder.path, 'environment') },
      ...{ hidden: [data, configurationFolder], streamsGroup: unprivileged.gid, users, guards },
    }),
    data: withUsers(openDataFolders(dataRoots, removeTree), users),
  }
}
