import { readFileSync } from 'node:fs'

/**
 * An id that stays the same until the kernel boots again (random(4)); containers share it. Linux only: throws
 * elsewhere.
 */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/**
 * Identifies this start of the machine. Containers share the boot id of the kernel, so the start time of the first
 * process counts too (proc(5), field 22 of stat).
 */
export function bootMark(): string {
  const stat = readFileSync('/proc/1/stat', 'utf8')
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${bootId()}/${started}`
}
