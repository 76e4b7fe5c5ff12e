import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Definition } from '../definitions/definition.ts'
import { OperatorError } from '../lib/operatorError.ts'

export interface BuildOptions {
  /** Environment of the commands, from the caller. */
  env: NodeJS.ProcessEnv
  onOutput: (output: { stream: 'out' | 'err'; bytes: Buffer }) => void
  /** Called before a command runs. */
  onCommand?: (kind: 'build' | 'test', command: string) => void
  /** Stops the running command and all its child processes. */
  signal?: AbortSignal
}

/** Time between SIGTERM and SIGKILL for a command that must stop. */
const graceMs = 5000
/** How long output is still read after a command has ended. */
const drainMs = 1000

/**
 * Runs the definition's build command, then its test command, with `sh -c` in its folder. `E_BUILD` names the failed
 * command and the failure. On abort, rejects with the signal's reason once nothing of the command's process group is
 * left.
 */
export async function runBuild(definition: Definition, folder: string, options: BuildOptions): Promise<void> {
  const { command, test } = definition.build
  if (command !== null) await run('build', command, folder, options)
  if (test !== null) await run('test', test, folder, options)
}

async function run(kind: 'build' | 'test', command: string, cwd: string, options: BuildOptions): Promise<void> {
  options.signal?.throwIfAborted()
  options.onCommand?.(kind, command)
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (bytes: Buffer) => options.onOutput({ stream: 'out', bytes }))
  child.stderr.on('data', (bytes: Buffer) => options.onOutput({ stream: 'err', bytes }))
  let killTimer: NodeJS.Timeout | undefined
  const end = (): void => {
    signalGroup(child.pid, 'SIGTERM')
    killTimer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs)
  }
  options.signal?.addEventListener('abort', end, { once: true })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null] // node:child_process
    await drainOutput(child)
    options.signal?.throwIfAborted()
    if (code !== 0)
      throw failure(kind, command, code === null ? `was killed by ${signal}` : `exited with status ${code}`)
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' // other errors have another code or none
      ? failure(kind, command, `could not be started in ${cwd}`, error)
      : error
  } finally {
    options.signal?.removeEventListener('abort', end)
    clearTimeout(killTimer)
    if (options.signal?.aborted) signalGroup(child.pid, 'SIGKILL')
  }
}

/** Waits for the end of the output, but not for ever: a process left in the background may hold the pipes open. */
async function drainOutput(child: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  if (child.stdout.closed && child.stderr.closed) return
  const timer = setTimeout(() => {
    child.stdout.destroy()
    child.stderr.destroy()
  }, drainMs)
  await once(child, 'close')
  clearTimeout(timer)
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // the process group has ended already
  }
}

function failure(kind: 'build' | 'test', command: string, how: string, cause?: unknown): OperatorError {
  return new OperatorError('E_BUILD', `the ${kind} command ${how}; nothing was published`, {
    subject: command,
    next: `fix the errors in the output above, or correct \`build.${kind === 'build' ? 'command' : 'test'}\` in the definition`,
    cause,
  })
}
