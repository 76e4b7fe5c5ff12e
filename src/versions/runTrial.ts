import { sleep, type Clock } from '../lib/clock.ts'
import type { PartsChange } from '../parts/partsChange.ts'
import type { UnitControl } from '../systemd/unitControl.ts'
import { isSameProgram, programOf } from './ownProgram.ts'
import type { Trial, TrialFiles } from './trialFiles.ts'

/** A program that ended this often right after its start will not come up. */
const mostRestarts = 3
/**
 * The longest trial, for a program that reports progress for ever. A controller folded 30,000 events a second on a quick
 * disk.
 */
const mostTrialMs = 60 * 60_000
const lookMs = 100
const reasonChars = 2_000

interface Around {
  files: TrialFiles
  units: UnitControl
  clock: Clock
  /** Change of the part's units, users and folders. */
  change: PartsChange
  /** Unit of the trial itself, which the trial removes when it has ended. */
  helper: string
  /** Unit in which the new program changes the parts. */
  partsHelper: string
}

/**
 * Switches a part to its new program and watches the part until the program confirms that it works: it has started and
 * the other side has answered. The part returns to the former program if the new one has ended too often, or has made no
 * progress for too long; a slow start that goes on is waited for. The trial runs apart from the part, from the former
 * version, and survives a reboot. Killed at any point and restarted, it continues: each decision is on disk.
 */
export async function runTrial(around: Around): Promise<void> {
  const { files, units, change: parts, helper, partsHelper } = around
  const { trial } = files
  if (trial) {
    const { key } = trial
    const isSwitched = isSameProgram(units.command(trial.unit), trial.to)
    if (!isSwitched) await units.endHelper(partsHelper)
    await endFormerChange(key, around)
    if (files.failed?.key !== key && files.confirmed !== key) {
      const reason = await tried(trial, isSwitched, around).catch((error: unknown) => String(error))
      if (reason !== null) files.fail({ key, reason: reason.slice(0, reasonChars) })
    }
    if (files.failed?.key === key) {
      // The new program may be broken so that it cannot undo its own change.
      await units.endHelper(partsHelper)
      if (parts.key === key) await parts.undo({ restarts: false })
      await change(trial, 'from', units)
    } else if (parts.key === key) await parts.keep()
    files.end()
  }
  await units.removeHelper(helper)
}

/** A kill may have come between the end of the former trial and the end of its change of the parts. */
async function endFormerChange(key: string, { files, units, change: parts, partsHelper }: Around): Promise<void> {
  const former = parts.key
  if (former === undefined || former === key) return
  await units.endHelper(partsHelper)
  if (former !== null && files.confirmed === former) await parts.keep()
  else await parts.undo({ restarts: false })
}

/**
 * Changes the accompanying unit first: the part sends requests to it at its start, in the format of the part's version.
 */
async function change({ unit, also, ...commands }: Trial, which: 'from' | 'to', units: UnitControl): Promise<void> {
  // A version from before the accompanying unit, to which a trial returned, has none.
  if (also && units.installedCommand(also.unit) !== null) {
    await units.useCommand(also.unit, also[which])
    // Its client restarts it. It may be killed at any moment, and its current operation may take minutes.
    await units.kill(also.unit)
  }
  await units.useCommand(unit, commands[which])
  await units.restart(unit)
}

/** The reason may be that the units, users or folders of the new version could not be made. */
const saidBy = async (partsHelper: string, units: UnitControl): Promise<string> =>
  (await units.isAlive(partsHelper)) ? `; ${partsHelper}: ${await units.said(partsHelper)}` : ''

/** Why the trial waits no longer; `null`: it waits. */
function lateBy(
  now: number,
  { deadline, end, withinMs }: Record<'deadline' | 'end' | 'withinMs', number>,
): string | null {
  if (now > end) return `its start took longer than ${mostTrialMs / 60_000} min`
  return now > deadline ? `no progress for ${withinMs / 1000} s` : null
}

/** Returns why the part must return to its former program; `null` if the new program works. */
async function tried(
  trial: Trial,
  isSwitched: boolean,
  { files, units, clock, change: parts, partsHelper }: Around,
): Promise<string | null> {
  const { key, unit, to, from, withinMs } = trial
  const base = units.installedCommand(unit)
  // A program that ran here before had other parts. From the switch on, the new program itself changes them, and this
  // may be a restart: see changeParts.ts.
  if (!isSwitched)
    await parts.goBackTo(programOf(to, base), { key, from: programOf(from, base), base: programOf(null, base) })
  await change(trial, 'to', units)
  const end = clock.monotonic() + mostTrialMs
  let progress = files.progress
  let deadline = clock.monotonic() + withinMs
  while (files.confirmed !== key) {
    if (files.progress !== progress) {
      progress = files.progress
      deadline = clock.monotonic() + withinMs
    }
    if ((await units.life(unit)).restarts >= mostRestarts)
      return `the new program exits at its start: ${await units.said(unit)}`
    const why = lateBy(clock.monotonic(), { deadline, end, withinMs })
    if (why !== null)
      return `the new program did not confirm that it works: ${why}: ${await units.said(unit)}${await saidBy(partsHelper, units)}`
    await sleep(clock, lookMs)
  }
  return null
}
