import { execFile } from 'node:child_process'
import { longestTimerMs } from './longTimer.ts'

export interface Outcome {
  /** Exit status; 128 if a signal ended the program. */
  code: number
  out: string
  err: string
}

export interface ExecOptions {
  /** Default: one minute; at most 24 days. On timeout, the program is killed and the promise rejects. */
  timeoutMs?: number
  env?: NodeJS.ProcessEnv
  /** Most output that is kept, in bytes; with more output, the promise rejects. */
  outputBytes?: number
  /** Its standard input. Default: a pipe that stays open and empty. */
  input?: string | Uint8Array
}

const defaultTimeoutMs = 60_000
const defaultOutputBytes = 16 * 1024 * 1024

/** Runs a program to its end, without a shell. Rejects only if the program could not start, or did not end in time. */
export function exec(argv: readonly string[], options: ExecOptions = {}): Promise<Outcome> {
  const [file = '', ...args] = argv
  const { timeoutMs = defaultTimeoutMs, outputBytes: maxBuffer = defaultOutputBytes, env, input } = options
  const timeout = Math.min(timeoutMs, longestTimerMs)
  return new Promise((resolve, reject) => {
    const limits = { timeout, maxBuffer, killSignal: 'SIGKILL' as const, ...(env ? { env } : {}) }
    const child = execFile(file, args, limits, (error, out, err) => {
      const failed = (why: string): void => reject(new Error(`${argv.join(' ')} ${why}: ${err}`, { cause: error }))
      if (error?.killed) failed(`did not end within ${timeout} ms, or printed too much`)
      else if (error && child.exitCode === null && child.signalCode === null) failed('could not be started')
      else resolve({ code: child.exitCode ?? 128, out, err })
    })
    if (input === undefined) return
    child.stdin?.on('error', () => {}) // its exit status says why the program did not read it
    child.stdin?.end(input)
  })
}

/** Like `exec`, but resolves with the output, and rejects with the program's message if the program fails. */
export async function execOrThrow(argv: readonly string[], options?: ExecOptions): Promise<string> {
  const { code, out, err } = await exec(argv, options)
  if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code}: ${(err || out).trim()}`)
  return out
}
