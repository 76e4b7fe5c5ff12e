import { spawn } from 'node:child_process'
import { OperatorError } from '../../../lib/operatorError.ts'

interface Options {
  timeoutMs: number
  env: Record<string, string>
  signal: AbortSignal
}

/** Number of characters that are kept from the end of the output of a script. */
const outputChars = 1_000

/**
 * Runs a script of the operator in its own process group, which ends with the script. Rejects with the last lines of
 * its output.
 */
export async function runScript(path: string, { timeoutMs, env, signal }: Options): Promise<void> {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin', HOME = '/root', LANG = 'C.UTF-8' } = process.env
  const child = spawn(path, [], {
    ...{ stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: '/' },
    env: { PATH, HOME, LANG, ...env },
  })
  let output = ''
  const take = (text: unknown): void => {
    output = (output + String(text)).slice(-outputChars)
  }
  child.stdout?.on('data', take)
  child.stderr?.on('data', take)
  const end = (): void => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // The group has already ended.
    }
  }
  let late = false
  const timer = setTimeout(() => {
    late = true
    end()
  }, timeoutMs)
  signal.addEventListener('abort', end)
  try {
    const how = await new Promise<string | null>((resolve, reject) => {
      child.on('error', reject)
      // Not 'close': a grandchild that keeps the pipe open must not delay the end.
      child.on('exit', (code, by) => resolve(code === 0 ? null : by === null ? `exit status ${code}` : by))
    })
    if (how !== null) throw failure(path, late ? `did not end within ${timeoutMs / 1000} s` : `failed (${how})`, output)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    end()
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

function failure(path: string, how: string, output: string): OperatorError {
  const said = output.trim().split('\n').slice(-3).join('; ')
  return new OperatorError('E_ADDRESS_DRIVER', `${path} ${how}${said === '' ? '' : `: ${said}`}`, {
    subject: path,
    next: 'fix the script; Tandem runs it again every few seconds until it succeeds',
  })
}
