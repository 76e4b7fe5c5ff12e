import { watch } from 'node:fs'

/** Renewed certificates come as several changes of files; they are taken up together. */
const settleMs = 200

interface Told {
  changed: () => Promise<void>
  /** A folder cannot be watched (any more), or what a change led to has failed. */
  failed: (error: unknown) => void
}

/** Tells of changes in folders, some time after the first of several. */
export function watchFolders(folders: string[], { changed, failed }: Told): { close: () => void } {
  let timer: NodeJS.Timeout | null = null
  const tell = (): void => {
    timer = null
    changed().catch(failed)
  }
  const watchers = [...new Set(folders)].map((folder) =>
    watch(folder, { persistent: false }, () => {
      timer ??= setTimeout(tell, settleMs).unref()
    }).on('error', failed),
  )
  return {
    close: () => {
      if (timer) clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
