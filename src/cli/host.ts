import type { Readable } from 'node:stream'
import type { Programs } from './programs.ts'

/** Where text goes: a process's own streams, or a test's. */
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
  programs: Programs
}
