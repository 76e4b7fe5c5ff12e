import { existsSync, lstatSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

/** What a removed data folder is called until its content is gone. No service can be called so. */
const asidePrefix = '.removed-'

/** Removes the data folders of services. */
export interface DataFolders {
  remove(service: string): Promise<void>
  /** Ends what one that was killed had begun. */
  sweep(): Promise<void>
}

/**
 * `roots` each hold a folder (or a link to one) per service. A folder is moved aside in one step before its content goes,
 * so that a service of the same name that is deployed meanwhile gets a folder of its own and loses nothing.
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
      // All of them: also what an earlier try had moved and could not remove.
      await removeAside(aside)
    },
    sweep: () => removeAside(asidePrefix),
  }
}
