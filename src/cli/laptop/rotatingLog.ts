import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** One file of this size and the one before it: a laptop's log takes at most twice this. */
const mostBytes = 10 * 1024 * 1024

/** A child's output on disk, bounded. Written at once, so that what a crash printed last is there. */
export class RotatingLog {
  readonly path: string
  readonly #mostBytes: number
  #file: number
  #bytes: number

  constructor(path: string, limit = mostBytes) {
    this.path = path
    this.#mostBytes = limit
    this.#file = openSync(path, 'a', 0o600)
    this.#bytes = fstatSync(this.#file).size
  }

  write(chunk: Uint8Array): void {
    if (this.#bytes > 0 && this.#bytes + chunk.length > this.#mostBytes) this.#rotate()
    writeSync(this.#file, chunk)
    this.#bytes += chunk.length
  }

  close(): void {
    closeSync(this.#file)
  }

  #rotate(): void {
    closeSync(this.#file)
    renameSync(this.path, `${this.path}.1`)
    this.#file = openSync(this.path, 'a', 0o600)
    this.#bytes = 0
  }
}
