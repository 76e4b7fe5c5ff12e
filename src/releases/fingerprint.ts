import type { BigIntStats } from 'node:fs'

/**
 * A text that changes when a file's content may have changed: inode, size, and the change times in nanoseconds. The
 * file's owner cannot set the ctime, so only somebody who sets the machine's clock can change a file and keep this
 * text.
 */
export function fingerprint(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
}
