import { watch, type FSWatcher } from 'node:fs'

/** Renewed certificates arrive as several changes of files; they are loaded together. */
const settleMs = 200

interface Told {
  /**
   * Called at changes, and also at intervals: changes of the target of a link cause no event. Resolves with the time
   * until the next call at the latest, in ms.
   */
  changed: () => Promise<number>
  /** Time before the first call. */
  firstMs: number
  /** A folder cannot be watched (any more), or the work after a change has failed. */
  failed: (error: unknown) => void
}

/** Reports changes in folders, some time after the first of several; polls folders that it cannot watch. */
export function watchFolders(folders: string[], { changed, firstMs, failed }: Told): { close: () => void } {
  let settling: NodeJS.Timeout | null = null
  let next: NodeJS.Timeout | null = null
  let isClosed = false
  const told = (): Promise<number> =>
    changed().catch((error: unknown) => {
      failed(error)
      return firstMs
    })
  const lookIn = (ms: number): void => {
    if (next) clearTimeout(next)
    if (!isClosed) next = setTimeout(() => void told().then(lookIn), ms).unref()
  }
  const settled = (): void => {
    settling = null
    void told().then(lookIn)
  }
  const watched = (folder: string): FSWatcher[] => {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        settling ??= setTimeout(settled, settleMs).unref()
      })
      return [watcher.on('error', failed)]
    } catch (error) {
      failed(error)
      return []
    }
  }
  const watchers = [...new Set(folders)].flatMap(watched)
  lookIn(firstMs)
  return {
    close: () => {
      isClosed = true
      if (settling) clearTimeout(settling)
      if (next) clearTimeout(next)
      for (const watcher of watchers) watcher.close()
    },
  }
}
