import type { Readable } from 'node:stream'
import type { EntryPoints } from './entryPoints.ts'
import type { Interrupts } from './interrupts.ts'

/** An output stream: one of the process, or a test's. */
export interface TextStream extends NodeJS.WritableStream {
  isTTY?: boolean
  columns?: number
}

/** Everything the command line takes from the process around it. */
export interface CliHost {
  stdin: () => Readable
  stdout: TextStream
  stderr: TextStream
  env: NodeJS.ProcessEnv
  cwd: string
  version: string
  /** Begins to watch for Ctrl-C and signals, until `stop`. */
  interrupts: () => Interrupts
  /** Calls `leave` before Ctrl-Z stops the process, and `back` when it goes on, until the returned function is called. */
  aroundStops: (leave: () => void, back: () => void) => () => void
  entryPoints: EntryPoints
}
