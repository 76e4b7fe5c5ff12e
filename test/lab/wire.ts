import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { patienceMs } from '../../src/lib/testing/patience.ts'
import type { LabMachine } from './labMachine.ts'

/**
 * A TCP connection from a machine, by its socat. Except for the kernel's keep-alives, it carries only the written data.
 */
export class Wire {
  #child: ChildProcess
  #read = Buffer.alloc(0)
  #ended: Promise<unknown>
  isEnded = false

  constructor(from: LabMachine, host: string, port: number) {
    const [file = '', ...args] = from.entering(['socat', '-t', '0.1', '-', `TCP:${host}:${port}`])
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin?.on('error', () => {}) // the connection was cut; `isEnded` reports that
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#read = Buffer.concat([this.#read, chunk])
    })
    this.#ended = once(this.#child, 'close').then(() => (this.isEnded = true))
  }

  write(bytes: string | Buffer): void {
    this.#child.stdin?.write(bytes)
  }

  /** Received data that was not consumed yet. */
  get unread(): Buffer {
    return this.#read
  }

  take(bytes: number): Buffer {
    const taken = this.#read.subarray(0, bytes)
    this.#read = this.#read.subarray(bytes)
    return taken
  }

  /**
   * Resolves once `isThere` holds for the received data; rejects if the other side ends before, or after `patienceMs`.
   */
  async until(isThere: (unread: Buffer) => boolean): Promise<void> {
    const late = AbortSignal.timeout(patienceMs)
    while (!isThere(this.#read)) {
      if (this.isEnded) throw new Error(`the connection ended after ${JSON.stringify(this.#read.toString())}`)
      const more = this.#child.stdout ? once(this.#child.stdout, 'data', { signal: late }) : Promise.resolve()
      more.catch(() => {}) // after losing the race, this promise has no waiter
      await Promise.race([more, this.#ended])
    }
  }

  /** Sends a line, and resolves with the line that comes back. */
  async say(line: string): Promise<string> {
    this.write(`${line}\n`)
    await this.until((unread) => unread.includes('\n'))
    return this.take(this.#read.indexOf('\n') + 1)
      .toString()
      .trimEnd()
  }

  /** Milliseconds from now until the other side closes the connection; `null` if it stays open for `withinMs`. */
  async cutAfter(withinMs: number): Promise<number | null> {
    const startedAt = performance.now()
    const waiting = new AbortController()
    const lived = new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      waiting.signal.addEventListener('abort', () => (clearTimeout(timer), resolve(null)))
    })
    await Promise.race([lived, this.#ended])
    waiting.abort()
    return this.isEnded ? performance.now() - startedAt : null
  }

  /** Closes the connection abruptly, as a client does. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
