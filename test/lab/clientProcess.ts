import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Lab } from './lab.ts'

/** A script of this folder at the lab's client, with these options as JSON. It ends with its standard input. */
export class ClientProcess {
  readonly #child: ChildProcess
  /** From the start: one that has ended by itself does not say so again. */
  readonly #closed: Promise<unknown[]>
  #out = ''

  constructor(lab: Lab, script: string, options: unknown) {
    const path = join(import.meta.dirname, script)
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', path, JSON.stringify(options)]
    const [file = '', ...args] = lab.client.entering(node)
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#closed = once(this.#child, 'close')
    this.#closed.catch(() => {}) // told to whoever stops it
    this.#child.stdout?.on('data', (text) => {
      this.#out += String(text)
    })
  }

  /** What it has printed. */
  get out(): string {
    return this.#out
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Ends it; resolves with the last line that it printed. Throws when it had ended by itself, or failed. */
  async stop(): Promise<string> {
    const endedBefore = this.isOver
    if (!endedBefore) this.#child.stdin?.end()
    const [code, signal] = await this.#closed
    if (endedBefore || code !== 0) throw new Error(`the load ended by itself (${String(signal ?? code)}): ${this.#out}`)
    return this.#out.trim().split('\n').at(-1) ?? ''
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
