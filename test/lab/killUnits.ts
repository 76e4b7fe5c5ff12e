import { setTimeout as pause } from 'node:timers/promises'
import type { LabMachine } from './labMachine.ts'

/**
 * Kills every process of these units (names separated by spaces, or patterns) after a while; `false`: there was none.
 */
export async function killUnits(machine: LabMachine, units: string, afterMs = 0): Promise<boolean> {
  const kill = `systemctl kill --kill-whom=all --signal=KILL ${units}`
  const { code } = await machine.run([
    'sh',
    '-c',
    `sleep ${afterMs / 1000}; systemctl is-active --quiet ${units} && ${kill}`,
  ])
  return code === 0
}

interface Kills {
  random: () => number
  /** Number of kills that hit a running process. */
  most: number
  signal: AbortSignal
  /** The longest pause before a kill. */
  withinMs: number
}

/** Kills at random moments, until it is stopped or has killed `most` times. Returns the number of hits. */
export async function killAtRandom(
  { random, most, signal, withinMs }: Kills,
  kill: () => Promise<boolean>,
): Promise<number> {
  let hits = 0
  while (!signal.aborted && hits < most) {
    await pause(random() * withinMs)
    if (await kill()) hits++
  }
  return hits
}
