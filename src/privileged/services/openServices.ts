import { join } from 'node:path'
import { openDataFolders } from '../../drivers/supervisor/dataFolders.ts'
import { openUnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { releasesFolder } from '../../layout/dataFolder.ts'
import { configurationFolder, dataRoots, permitsFile, secretsFolder } from '../../layout/folders.ts'
import { unitFolder } from '../../layout/units.ts'
import { removeTree } from '../../releases/removeTree.ts'
import type { HelperContext } from '../helperContext.ts'
import type { ServiceParts } from './operations.ts'

export const openServices = ({ data, folder, unprivileged, isOwnUnit }: HelperContext): ServiceParts => ({
  ...{ unitFolder, isOwnUnit, secrets: secretsFolder, permits: permitsFile, releases: releasesFolder(data) },
  units: openUnitHost({
    ...{ unitFolder, environmentFolder: join(folder.path, 'environment') },
    ...{ hidden: [data, configurationFolder], streamsGroup: unprivileged.gid },
  }),
  data: openDataFolders(dataRoots, removeTree),
})
