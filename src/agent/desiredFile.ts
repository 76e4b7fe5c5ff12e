import { z } from 'zod'
import type { JsonFiles } from '../lib/jsonFolder.ts'
import { position } from '../protocol/basics.ts'
import { desiredChange, readDesiredChange } from '../protocol/desiredChange.ts'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'
import { desiredFormat, upcastDesired } from './keptDesired.ts'

/*
 * The last desired state that this machine obeyed, in two files:
 *   desired.json           A whole state, replaced as a whole. An older agent reads only this file.
 *   desired-changes.json   The states after it, one line each, as the difference from the one before. Each line names
 *                          the number that desired.json has (`changes`), so that lines which follow another whole state
 *                          are ignored. A last line without its end was cut off by a crash, and is ignored too.
 * With many services a whole state has hundreds of kilobytes, and a rollout of one of them changes it ten times. The
 * changes are merged into desired.json when the agent is idle, and when it ends.
 */

const whole = 'desired'
const changes = 'desired-changes'

const keptSchema = z
  .unknown()
  .transform((kept) => upcastDesired(kept))
  .pipe(desiredStateSchema.extend({ changes: z.int().default(0) }))

const lineSchema = z.object({ changes: z.int(), change: z.looseObject({ after: position }) })

/** Lines after which the next state is written whole: as many states as some rollouts in a row have. */
const mostLines = 200

interface Base {
  /** The state that both files hold now. */
  state: DesiredState
  lines: number
}

export class DesiredFile {
  #files: JsonFiles
  /** `null`: the next state is written whole. */
  #base: Base | null = null
  #number = 0

  constructor(files: JsonFiles) {
    this.#files = files
  }

  /** `readable` throws the operator's error about a file that is damaged or has an unknown format. */
  read(readable: <T>(name: string, read: () => T) => T): DesiredState | null {
    const kept = readable(whole, () => {
      const content = this.#files.read(whole)
      return content === null ? null : keptSchema.parse(content)
    })
    return readable(changes, () => {
      const lines = this.#files.lines(changes).map((line) => lineSchema.parse(line))
      this.#base = null
      this.#number = Math.max(kept?.changes ?? 0, ...lines.map((line) => line.changes))
      if (kept === null) return null
      const { changes: number, ...first } = kept
      const later = lines.filter((line) => line.changes === number)
      return later.reduce<DesiredState>((state, { change }) => readDesiredChange(state, change), first)
    })
  }

  /** Returns once the state would survive a power cut. After a failure, the files hold the state before or this one. */
  write(state: DesiredState): void {
    const base = this.#base
    // A line that was written in part must not be followed by another.
    this.#base = null
    if (base === null || base.lines >= mostLines || !this.#writeLine(base, state)) this.#writeWhole(state)
  }

  /** False where the disk does not take the line: it is full, or somebody removed the file. */
  #writeLine({ state: before, lines }: Base, state: DesiredState): boolean {
    const line = { changes: this.#number, change: desiredChange(before, state) }
    try {
      if (lines === 0) this.#files.write(changes, line)
      else this.#files.append(changes, line)
    } catch {
      return false
    }
    this.#base = { state, lines: lines + 1 }
    return true
  }

  /** Merges the changes into the whole state. Does nothing where there are none. */
  merge(): void {
    if (this.#base !== null && this.#base.lines > 0) this.#writeWhole(this.#base.state)
  }

  #writeWhole(state: DesiredState): void {
    const number = this.#number + 1
    this.#files.write(whole, { format: desiredFormat, changes: number, ...state })
    this.#number = number
    this.#base = { state, lines: 0 }
  }
}
