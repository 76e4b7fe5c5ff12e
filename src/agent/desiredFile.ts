import { crc32 } from 'node:zlib'
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
 *                          are ignored. A last line that is cut off or damaged is ignored too: a crash ended its
 *                          write, so nobody obeyed its state. Checksums show damage that is still valid JSON.
 * With many services a whole state has hundreds of kilobytes, and a rollout of one of them changes it ten times. The
 * changes are merged into desired.json when the agent is idle, and when it ends.
 */

const whole = 'desired'
const changes = 'desired-changes'

const keptSchema = z
  .unknown()
  .transform((kept) => upcastDesired(kept))
  .pipe(desiredStateSchema.extend({ changes: z.int().default(0) }))

const checkedSchema = z.object({ sum: z.int(), line: z.unknown() })
const lineSchema = z.object({ changes: z.int(), change: z.looseObject({ after: position }) })
type Line = z.infer<typeof lineSchema>

/** Lines after which the next state is written whole: as many states as some rollouts in a row have. */
const mostLines = 200

interface Base {
  /** The state that both files hold now. */
  state: DesiredState
  lines: number
}

/** A base that is merged when the agent is idle, and that no line follows: the next state is written whole. */
const mergeable = (state: DesiredState): Base => ({ state, lines: mostLines })

/** Throws an error that names the file which is damaged or has an unknown format. */
type Readable = <T>(name: string, read: () => T) => T

interface Found {
  state: DesiredState | null
  number: number
  /** Lines that follow the whole state. */
  lines: number
}

const checked = (line: unknown): unknown => ({ sum: sumOf(line), line })
const sumOf = (line: unknown): number => crc32(JSON.stringify(line))

/** `null`: the line is damaged. */
function contentOf(text: string): { line: unknown } | null {
  try {
    const { sum, line } = checkedSchema.parse(JSON.parse(text))
    return sumOf(line) === sum ? { line } : null
  } catch {
    return null
  }
}

function linesOf(texts: string[]): Line[] {
  return texts.flatMap((text, index) => {
    const content = contentOf(text)
    if (content) return [lineSchema.parse(content.line)]
    // Pages of one append reach the disk in any order, its end perhaps before its middle.
    if (index === texts.length - 1) return []
    throw new Error(`line ${index + 1} of ${changes}.json is damaged`)
  })
}

/** Also for another process than the agent: it writes nothing. */
export function readDesiredFiles(files: Pick<JsonFiles, 'read' | 'lines'>, readable: Readable): Found {
  // First the changes: if the agent merges them meanwhile, the whole state is the newer one.
  const lines = readable(changes, () => linesOf(files.lines(changes)))
  const kept = readable(whole, () => {
    const content = files.read(whole)
    return content === null ? null : keptSchema.parse(content)
  })
  const number = Math.max(kept?.changes ?? 0, ...lines.map((line) => line.changes))
  if (kept === null) return { state: null, number, lines: 0 }
  const { changes: own, ...first } = kept
  const later = lines.filter((line) => line.changes === own)
  const state = readable(changes, () =>
    later.reduce<DesiredState>((before, { change }) => readDesiredChange(before, change), first),
  )
  return { state, number, lines: later.length }
}

export class DesiredFile {
  #files: JsonFiles
  /** `null`: the next state is written whole. */
  #base: Base | null = null
  #number = 0

  constructor(files: JsonFiles) {
    this.#files = files
  }

  read(readable: Readable): DesiredState | null {
    const { state, number, lines } = readDesiredFiles(this.#files, readable)
    this.#number = number
    this.#base = state !== null && lines > 0 ? mergeable(state) : null
    return state
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
    const line = checked({ changes: this.#number, change: desiredChange(before, state) })
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
    if (this.#base === null || this.#base.lines === 0) return
    const { state } = this.#base
    // After a failure the whole state may be on disk nevertheless, and no line must follow the former one.
    this.#base = mergeable(state)
    this.#writeWhole(state)
  }

  #writeWhole(state: DesiredState): void {
    const number = this.#number + 1
    this.#files.write(whole, { format: desiredFormat, changes: number, ...state })
    this.#number = number
    this.#base = { state, lines: 0 }
  }
}
