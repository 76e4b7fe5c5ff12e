import { readFileSync } from 'node:fs'

/** The same until the kernel boots again (random(4)); containers share it. Linux only: throws where there is none. */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
