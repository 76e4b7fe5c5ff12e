import { existsSync } from 'node:fs'
import { programsFolder } from '../layout/dataFolder.ts'
import type { Clock } from '../lib/clock.ts'
import { runsIn, type OwnProgram } from './ownProgram.ts'
import { TrialFiles } from './trialFiles.ts'

/** Far below the time that a trial waits. */
const everyMs = 1_000

/**
 * Returns a function that a starting program calls with how far it has come; the trial of this program waits while that
 * changes. Only real work may call it, never a timer: a program that hangs must look like one. Without a trial it does
 * nothing.
 */
export function startProgress(data: string, own: OwnProgram, clock: Clock): (done: string) => void {
  if (!existsSync(programsFolder(data))) return () => {}
  const files = new TrialFiles(data)
  const { trial } = files
  if (!trial || !runsIn(trial.to, own)) return () => {}
  let written = Number.NEGATIVE_INFINITY
  return (done) => {
    if (clock.monotonic() - written < everyMs) return
    written = clock.monotonic()
    files.progressed(`${trial.key} ${done}\n`)
  }
}
