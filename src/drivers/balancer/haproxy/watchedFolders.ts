import { watch, type FSWatcher } from 'node:fs'

/** Renewed certificates come as several changes of files; they are taken up together. */
const settleMs = 200

interface Told {
  /** Called now and then too: what a link leads to changes unseen. Resolves with how long that may wait, ms. */
  changed: () => Promise<number>
  /** Before the first call. */
  firstMs: number
  /** A folder cannot be watched (any more), or what a change led to has failed. */
  failed: (error: unknown) => void
}

/** Tells of changes in folders, some time after the first of several; of those it cannot watch, by looking now and then. */
export function watchFolders(folders: string[], { changed, firstMs, failed }: Told): { close: () => void } {
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
  let isClosed = false
  const lookIn = (ms: number): NodeJS.Timeout => setTimeout(look, ms).unref()
  const look = (): void => {
    changed()
      .catch((error: unknown) => (failed(error), firstMs))
      .then(
        (ms) => {
          if (!isClosed) next = lookIn(ms)
        },
        () => {},
      )
  }
  let next = lookIn(firstMs)
  return {
    close: () => {
      if (timer) clearTimeout(timer)
      isClosed = true
      clearTimeout(next)
      for (const watcher of watchers) watcher.close()
    },
  }
}
