import { watch, type FSWatcher } from 'node:fs'

/** Renewed certificates come as several changes of files; they are taken up together. */
const settleMs = 200

interface Told {
  /** Called now and then too: what a link leads to changes unseen. */
  changed: () => Promise<void>
  everyMs: number
  /** A folder cannot be watched (any more), or what a change led to has failed. */
  failed: (error: unknown) => void
}

/** Tells of changes in folders, some time after the first of several; of those it cannot watch, by looking now and then. */
export function watchFolders(folders: string[], { changed, everyMs, failed }: Told): { close: () => void } {
  let timer: NodeJS.Timeout | null = null
  const tell = (): void => {
    timer = null
    changed().catch(failed)
  }
  const watched = (folder: string): FSWatcher[] => {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        timer ??= setTimeout(tell, settleMs).unref()
      })
      return [watcher.on('error', failed)]
    } catch (error) {
      failed(error)
      return []
    }
  }
  const watchers = [...new Set(folders)].flatMap(watched)
  const often = setInterval(() => void changed().catch(failed), everyMs).unref()
  return {
    close: () => {
      if (timer) clearTimeout(timer)
      clearInterval(often)
      for (const watcher of watchers) watcher.close()
    },
  }
}
