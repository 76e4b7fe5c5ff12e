import { existsSync, lstatSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

/** Prefix of a data folder that is being removed, until its content is gone. No service name can start with it. */
const asidePrefix = '.removed-'

/** Removes the data folders of services. */
export interface DataFolders {
  remove(service: string): Promise<void>
  /** Completes the removals that a killed agent had begun. */
  sweep(): Promise<void>
}

/**
 * `roots` each hold a folder (or a link to a folder) per service. The folder is renamed in one step before its content
 * is removed: a service of the same name that is deployed meanwhile gets its own folder and loses nothing.
 */
export function openDataFolders(roots: readonly string[], removeTree: (path: string) => Promise<void>): DataFolders {
  let moved = 0
  const removeAside = async (prefix: string): Promise<void> => {
    for (const root of roots) {
      const names = existsSync(root) ? readdirSync(root) : []
      for (const name of names) if (name.startsWith(prefix)) await removeTree(join(root, name))
    }
  }
  return {
    remove: async (service) => {
      const aside = `${asidePrefix}${service}.`
      for (const root of roots) {
        const folder = join(root, service)
        if (lstatSync(folder, { throwIfNoEntry: false })) renameSync(folder, join(root, `${aside}${++moved}`))
      }
      // Removes every folder with the prefix: also those that an earlier attempt renamed and could not remove.
      await removeAside(aside)
    },
    sweep: () => removeAside(asidePrefix),
  }
}
