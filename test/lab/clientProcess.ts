import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Lab } from './lab.ts'

/**
 * Runs a script of this folder on the lab's client, with the options as JSON. The script exits at the end of its
 * standard input.
 */
export class ClientProcess {
  readonly #child: ChildProcess
  /** Listens from the start, because an early end emits no further event. */
  readonly #closed: Promise<unknown[]>
  #out = ''

  constructor(lab: Lab, script: string, options: unknown) {
    const path = join(import.meta.dirname, script)
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', path, JSON.stringify(options)]
    const [file = '', ...args] = lab.client.entering(node)
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#closed = once(this.#child, 'close')
    this.#closed.catch(() => {}) // `stop` reports the error
    this.#child.stdout?.on('data', (text) => {
      this.#out += String(text)
    })
  }

  /** Output of the script so far. */
  get out(): string {
    return this.#out
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Stops the script and resolves with its last line of output. Throws if it had ended on its own, or failed. */
  async stop(): Promise<string> {
    const endedBefore = this.isOver
    if (!endedBefore) this.#child.stdin?.end()
    const [code, signal] = await this.#closed
    if (endedBefore || code !== 0)
      throw new Error(`the load ended on its own (${String(signal ?? code)}): ${this.#out}`)
    return this.#out.trim().split('\n').at(-1) ?? ''
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
