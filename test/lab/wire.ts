import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { LabMachine } from './labMachine.ts'

/** A TCP connection from a machine, by its socat: the kernel's own keep-alives aside, nothing travels but what is written. */
export class Wire {
  #child: ChildProcess
  #read = Buffer.alloc(0)
  #ended: Promise<unknown>
  isEnded = false

  constructor(from: LabMachine, host: string, port: number) {
    const [file = '', ...args] = from.entering(['socat', '-t', '0.1', '-', `TCP:${host}:${port}`])
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin?.on('error', () => {}) // it was cut: `isEnded` says so
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#read = Buffer.concat([this.#read, chunk])
    })
    this.#ended = once(this.#child, 'close').then(() => (this.isEnded = true))
  }

  write(bytes: string | Buffer): void {
    this.#child.stdin?.write(bytes)
  }

  /** All that came and was not taken yet. */
  get unread(): Buffer {
    return this.#read
  }

  take(bytes: number): Buffer {
    const taken = this.#read.subarray(0, bytes)
    this.#read = this.#read.subarray(bytes)
    return taken
  }

  /** Resolves once `isThere` holds of what came; rejects when the other side ends before, or `withinMs` pass. */
  async until(isThere: (unread: Buffer) => boolean, withinMs = 10_000): Promise<void> {
    const late = AbortSignal.timeout(withinMs)
    while (!isThere(this.#read)) {
      if (this.isEnded) throw new Error(`the connection ended after ${JSON.stringify(this.#read.toString())}`)
      const more = this.#child.stdout ? once(this.#child.stdout, 'data', { signal: late }) : Promise.resolve()
      more.catch(() => {}) // when it lost the race, nobody waits for it any more
      await Promise.race([more, this.#ended])
    }
  }

  /** Says a line, and resolves with the line that comes back. */
  async say(line: string): Promise<string> {
    this.write(`${line}\n`)
    await this.until((unread) => unread.includes('\n'))
    return this.take(this.#read.indexOf('\n') + 1)
      .toString()
      .trimEnd()
  }

  /** Milliseconds from now to its end by the other side; `null` when it lived for `withinMs`. */
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

  /** As the client's end: abruptly. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
