import { pause } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { PartUnits } from './partUnits.ts'
import type { Trial, TrialFiles } from './trialFiles.ts'

/** A program that ended this often at its start will not come up. */
const mostRestarts = 3
const lookMs = 100
const reasonChars = 2_000

interface Around {
  files: TrialFiles
  units: PartUnits
  clock: Clock
  /** This program's own unit: it removes it when the trial is over. */
  helper: string
}

/**
 * Switches a part to its new program and watches it: until the program says that it works (it has come up and the other side has
 * answered it), or has ended too often, or time is up; then the part goes back. It runs apart from the part, as the former version,
 * and survives a reboot. Killed at any point and started again, it goes on: what was decided stands in a file.
 */
export async function runTrial({ files, units, clock, helper }: Around): Promise<void> {
  const { trial } = files
  if (trial) {
    const { key } = trial
    if (files.failed?.key !== key && files.confirmed !== key) {
      const reason = await tried(trial, { files, units, clock }).catch((error: unknown) => String(error))
      if (reason !== null) files.fail({ key, reason: reason.slice(0, reasonChars) })
    }
    if (files.failed?.key === key) await change(trial, 'from', units)
    files.end()
  }
  await units.removeHelper(helper)
}

/** What changes with the part goes first: the part asks it for things at its start, in the words of its own version. */
async function change({ unit, also, ...commands }: Trial, which: 'from' | 'to', units: PartUnits): Promise<void> {
  if (also) {
    await units.useCommand(also.unit, also[which])
    // Whoever asks it starts it again, and it may be killed at any moment; what it does may take minutes.
    await units.kill(also.unit)
  }
  await units.useCommand(unit, commands[which])
  await units.restart(unit)
}

/** Why it must go back; `null` when it works. */
async function tried(trial: Trial, { files, units, clock }: Omit<Around, 'helper'>): Promise<string | null> {
  const { key, unit, withinMs } = trial
  await change(trial, 'to', units)
  const deadline = clock.monotonic() + withinMs
  const { signal } = new AbortController()
  while (files.confirmed !== key) {
    if ((await units.life(unit)).restarts >= mostRestarts) return `it ends at its start: ${await units.said(unit)}`
    if (clock.monotonic() > deadline)
      return `it was not seen to work within ${withinMs / 1000} s: ${await units.said(unit)}`
    await pause(lookMs, signal)
  }
  return null
}
