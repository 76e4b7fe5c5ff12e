import { spawnSync } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import type { CliHost, TextStream } from '../host.ts'

interface Size {
  rows: number
  columns: number
}

/** The terminal of the person at this command. */
export interface PersonsTerminal {
  input: ReadStream
  output: WriteStream
  /** As in TERM. */
  type: string
  size: () => Size
}

/** A terminal that does not know its size, as over a serial line. */
const usual: Size = { rows: 24, columns: 80 }
const mostSide = 9_999

/** `null`: standard input or output is none. */
export function terminalOf({ stdin, stdout, env }: Pick<CliHost, 'stdin' | 'stdout' | 'env'>): PersonsTerminal | null {
  const from = stdin() as Readable & Partial<ReadStream>
  const to = stdout as TextStream & Partial<WriteStream>
  if (from.isTTY !== true || to.isTTY !== true) return null
  const input = from as ReadStream // a terminal is one
  const output = to as WriteStream
  const side = (value: number, preset: number): number => Math.min(value || preset, mostSide)
  const type = env['TERM'] ?? ''
  return {
    ...{ input, output, type: /^[\w.+-]{1,60}$/.test(type) ? type : 'xterm' },
    size: () => ({ rows: side(output.rows, usual.rows), columns: side(output.columns, usual.columns) }),
  }
}

/**
 * Passes every key to the program from now on, also Ctrl-C and Ctrl-Z, and reports each new size. The returned function
 * gives the terminal back as it was; Node does the same when the process exits.
 */
export function heldRaw(
  { input, output, size }: PersonsTerminal,
  { aroundStops }: Pick<CliHost, 'aroundStops'>,
  resized: (size: Size) => void,
): () => void {
  const raw = (on: boolean): void => {
    input.setRawMode(on)
    // Node's raw mode leaves the terminal a change: it puts a carriage return before each newline.
    if (on) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  }
  const changed = (): void => resized(size())
  const release = aroundStops(
    () => raw(false),
    () => {
      raw(true)
      changed()
    },
  )
  raw(true)
  output.on('resize', changed)
  return () => {
    output.off('resize', changed)
    release()
    raw(false)
  }
}
