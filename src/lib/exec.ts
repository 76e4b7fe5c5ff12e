import { execFile } from 'node:child_process'
import { longestTimerMs } from './longTimer.ts'

export interface Outcome {
  /** Exit status; 128 when a signal ended it. */
  code: number
  out: string
  err: string
}

export interface ExecOptions {
  /** Default: a minute; at most 24 days. When it passes, the program is killed and this rejects. */
  timeoutMs?: number
  env?: NodeJS.ProcessEnv
  /** Most that is kept of what it prints; more of it, and this rejects. */
  outputBytes?: number
}

const defaultTimeoutMs = 60_000
const defaultOutputBytes = 16 * 1024 * 1024

/** Runs a program to its end, without a shell. Rejects only when it could not be run, or did not end in time. */
export function exec(argv: readonly string[], options: ExecOptions = {}): Promise<Outcome> {
  const [file = '', ...args] = argv
  const { timeoutMs = defaultTimeoutMs, outputBytes: maxBuffer = defaultOutputBytes, env } = options
  const timeout = Math.min(timeoutMs, longestTimerMs)
  return new Promise((resolve, reject) => {
    const limits = { timeout, maxBuffer, killSignal: 'SIGKILL' as const, ...(env ? { env } : {}) }
    const child = execFile(file, args, limits, (error, out, err) => {
      const failed = (why: string): void => reject(new Error(`${argv.join(' ')} ${why}: ${err}`, { cause: error }))
      if (error?.killed) failed(`did not end within ${timeout} ms, or printed too much`)
      else if (error && child.exitCode === null && child.signalCode === null) failed('could not be run')
      else resolve({ code: child.exitCode ?? 128, out, err })
    })
  })
}

/** As `exec`, and rejects with what it said when it fails; resolves with its output. */
export async function execOrThrow(argv: readonly string[], options?: ExecOptions): Promise<string> {
  const { code, out, err } = await exec(argv, options)
  if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code}: ${(err || out).trim()}`)
  return out
}
