import { statSync } from 'node:fs'

/**
 * Runs `work` in a user's folder with the rights of that user when the process is root: files written there belong to
 * the user, and links in the folder lead no further than the user could go. A process that is not root runs `work` with
 * its own rights.
 */
export function asOwnerOf<T>(folder: string, work: () => T): T {
  const { uid, gid } = statSync(folder)
  if (process.geteuid?.() !== 0 || uid === 0) return work()
  const group = process.getegid?.() ?? 0
  process.setegid?.(gid)
  process.seteuid?.(uid)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(group)
  }
}
