import { statSync } from 'node:fs'

/**
 * Does what root was asked to do in somebody's folder with that one's rights, so that what is written there is theirs, and no link in it
 * leads further than they could go. Whoever is not root does it as they are.
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
