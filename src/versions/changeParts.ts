import { Backoff } from '../lib/backoff.ts'
import { sleep, type Clock } from '../lib/clock.ts'
import type { Installation } from '../parts/parts.ts'
import type { PartsChange } from '../parts/partsChange.ts'
import { installed, type Program } from '../parts/partsFiles.ts'
import type { UnitControl } from '../systemd/unitControl.ts'
import { programOf, releaseOf, runsIn, type OwnProgram } from './ownProgram.ts'
import type { TrialFiles } from './trialFiles.ts'

const lookMs = 100
const retry = { firstMs: 500, mostMs: 2_000 }

interface Around {
  files: TrialFiles
  change: PartsChange
  units: UnitControl
  /** The unit of the part, for example `tandem-agent.service`. */
  unit: string
  own: OwnProgram
  /** The command line that runs this program with these words; `null`: it is the installed program. */
  command: (words: readonly string[]) => string[] | null
  version: string
  digest: string
  /** `null`: the unit does not belong to Tandem. */
  describe: () => Promise<Installation | null>
  clock: Clock
  random: () => number
  log: (text: string) => void
  /** Unit of this program, which removes it at its end. */
  helper: string
}

/**
 * Changes Tandem's own parts on this machine to those of this program, and waits for the end of its trial: then keeps
 * the change, or undoes it. It runs as root, from the new program, apart from the part, and survives a reboot: the
 * trial may run an older version that knows nothing of other units, users and folders. Killed at any point and
 * restarted, it continues.
 *
 * Two processes at once would mix two sets of parts. So the trial changes parts only before it has switched to the new
 * program and after it has failed; in between only the new program does; without a trial, only the program that the unit
 * runs.
 */
export async function changeParts(around: Around): Promise<void> {
  const { units, helper, clock, random, log } = around
  const backoff = new Backoff(retry, random)
  while (!(await isOver(around))) {
    try {
      await install(around)
      await trialOver(around)
    } catch (error) {
      log(`could not change the parts of Tandem, retrying: ${error instanceof Error ? error.message : String(error)}`)
      await sleep(clock, backoff.next())
    }
  }
  await units.removeHelper(helper)
}

/** Ends a change whose trial is over. True if nothing is left to do. */
async function isOver(around: Around): Promise<boolean> {
  const { change, digest } = around
  const { key } = change
  // The request may come late: the part may have gone back meanwhile, or the change may have ended.
  const isDone = (): boolean => change.installed === digest || !mayInstall(around)
  if (key === undefined) return isDone()
  switch (outcome(around, key)) {
    case 'open':
      return !mayInstall(around)
    case 'kept':
      // Without a trial, only a complete change is kept.
      if (key === null && change.installed !== digest) return !mayInstall(around)
      await change.keep()
      return isDone()
    case 'failed':
      await change.undo({ restarts: true })
      return true
  }
}

async function install(around: Around): Promise<void> {
  const { change, files, version, digest, command, describe, own } = around
  const wanted = await describe()
  if (!wanted) throw new Error('the unit was not written by Tandem')
  const key = change.key === undefined ? (files.trial?.key ?? null) : change.key
  const { from, base } = before(around)
  await change.install(wanted, {
    ...{ version, digest, key, command, from, base },
    program: releaseOf(own) ?? installed,
  })
}

/**
 * The program whose parts are on the machine, and the installed one. Without a trial, the helper that could change parts
 * came only after the trial, or the package of this program has been replaced.
 */
function before({ files, units, unit, own, change }: Around): { from: Program | null; base: Program } {
  const command = units.installedCommand(unit)
  const base = programOf(null, command)
  if (files.trial) return { from: programOf(files.trial.from, command), base }
  if (releaseOf(own) === null) return { from: null, base }
  return { from: change.hasRecord ? change.owner : base, base }
}

/** Resolves once the trial has ended, one way or the other. */
async function trialOver(around: Around): Promise<void> {
  for (let { key } = around.change; key !== undefined && outcome(around, key) === 'open'; { key } = around.change)
    await sleep(around.clock, lookMs)
}

function outcome({ files }: Around, key: string | null): 'open' | 'kept' | 'failed' {
  if (key === null) return 'kept'
  if (files.failed?.key === key) return 'failed'
  if (files.trial?.key === key) return 'open'
  // A trial that has ended without a recorded result was given up: a later one has begun.
  return files.confirmed === key ? 'kept' : 'failed'
}

function mayInstall({ files: { trial, failed }, units, unit, own }: Around): boolean {
  if (trial && (failed?.key === trial.key || !runsIn(trial.to, own))) return false
  return runsIn(units.command(unit), own)
}
