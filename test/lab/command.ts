import { execFile } from 'node:child_process'

export interface Outcome {
  /** Exit status; 128 and the signal's number, as a shell says it, when a signal ended it. */
  code: number
  out: string
  err: string
}

export interface CommandOptions {
  /** Default: a minute. When it passes, the command is killed and this rejects. */
  timeoutMs?: number
  env?: NodeJS.ProcessEnv
}

const defaultTimeoutMs = 60_000
const mostOutputBytes = 64 * 1024 * 1024

/** Runs a command to its end. Rejects only when it could not be started or did not end in time. */
export function command(argv: string[], options: CommandOptions = {}): Promise<Outcome> {
  const [file, ...args] = argv
  if (file === undefined) throw new Error('no command')
  const { timeoutMs = defaultTimeoutMs, env = process.env } = options
  return new Promise((resolve, reject) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: mostOutputBytes, env }
    const child = execFile(file, args, limits, (error, out, err) => {
      const status = child.exitCode
      if (error?.killed) reject(new Error(`${argv.join(' ')} did not end within ${timeoutMs} ms: ${err}`))
      else if (error && status === null && child.signalCode === null) reject(error)
      else resolve({ code: status ?? 128, out, err })
    })
  })
}

/** As `command`, and rejects with what it said when it fails; resolves with its output. */
export async function must(argv: string[], options?: CommandOptions): Promise<string> {
  const { code, out, err } = await command(argv, options)
  if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code}: ${err || out}`)
  return out
}
