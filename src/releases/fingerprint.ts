import type { BigIntStats } from 'node:fs'

/**
 * What changes when a file's content may have: inode, size, and the times of change in nanoseconds. The change time
 * cannot be set by the file's owner, so only someone who sets the machine's clock can alter a file and keep this.
 */
export function fingerprint(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
}
