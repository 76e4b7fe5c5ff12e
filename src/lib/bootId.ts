import { readFileSync } from 'node:fs'

/**
 * An id that stays the same until the kernel boots again (random(4)); containers share it. Linux only: throws
 * elsewhere.
 */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
