import { cacheFolder, rootReleases } from '../../layout/dataFolder.ts'
import { objectsIn } from '../../releases/objectReading.ts'
import { OwnFolders } from '../../releases/releaseFolders.ts'

/** Folders that only root can change, made from the objects that the agent has fetched. */
export function openRootReleases(data: string): Promise<OwnFolders> {
  const store = cacheFolder(data)
  return OwnFolders.open({ root: rootReleases(data), store, objects: objectsIn(store) })
}
