import { readFile } from 'node:fs/promises'
import { randomId } from '../lib/ids.ts'

/**
 * What is the same until the machine boots again. Where the system does not say (macOS), a random one: what was made by
 * an earlier process then counts as made before the boot.
 */
export async function readBootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    return randomId()
  }
}
