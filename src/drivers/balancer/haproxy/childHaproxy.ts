import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { HaproxyProcess } from './haproxyProcess.ts'
import { MasterSocket } from './masterSocket.ts'

interface ChildOptions {
  program?: string
  /** The socket of the master process. */
  master: string
  startMs?: number
  /** Time for HAProxy to end on its own before it is killed. */
  endMs?: number
}

/** Number of output lines that are kept. */
const keptLines = 100

/** HAProxy as a child of this process, for laptops and tests. It ends with the driver. */
export function childHaproxy(options: ChildOptions): HaproxyProcess {
  return new ChildHaproxy(options)
}

class ChildHaproxy implements HaproxyProcess {
  readonly program: string
  readonly #options: Required<ChildOptions>
  readonly #socket: MasterSocket
  #child: ChildProcess | null = null
  #lines: string[] = []

  constructor(options: ChildOptions) {
    this.#options = { program: 'haproxy', startMs: 5_000, endMs: 2_000, ...options }
    this.program = this.#options.program
    this.#socket = new MasterSocket(options.master, 1_000)
  }

  async ensureStarted(configPath: string): Promise<void> {
    if (await this.isRunning()) return
    const { master, startMs } = this.#options
    this.#lines = []
    const child = spawn(this.program, ['-W', '-S', `${master},mode,600`, '-f', configPath], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const failed: { why: Error | null } = { why: null }
    child.on('error', (error) => (failed.why = error))
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => this.#hear(chunk))
    const deadline = performance.now() + startMs
    while (performance.now() < deadline && child.exitCode === null && failed.why === null) {
      if (await this.isRunning()) return
      await pause(10)
    }
    child.kill('SIGKILL')
    throw new Error(`HAProxy does not start with ${configPath}: ${await this.lastWords()}`, { cause: failed.why })
  }

  async isRunning(): Promise<boolean> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return false
    try {
      return (await this.#socket.workers()).current !== null
    } catch {
      return false
    }
  }

  lastWords(): Promise<string> {
    const told = this.#lines.filter((line) => line.includes('[ALERT]'))
    return Promise.resolve((told.length > 0 ? told : this.#lines).slice(-5).join('; '))
  }

  async end(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const kill = setTimeout(() => child.kill('SIGKILL'), this.#options.endMs)
    await exited
    clearTimeout(kill)
  }

  #hear(chunk: Buffer): void {
    this.#lines.push(...chunk.toString().split('\n').filter(Boolean))
    this.#lines.splice(0, this.#lines.length - keptLines)
  }
}
