import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** Maximum size of the log file. With the previous file, a log takes at most twice this size. */
const mostBytes = 10 * 1024 * 1024

interface Options {
  limit?: number
  /** Receives a message when the file cannot be written, and another when it can be written again. */
  onNews: (text: string) => void
}

/**
 * A child's output on disk, with a limited size. Each chunk is written at once, so that the last output before a crash
 * is in the file. On a full disk, output is lost, but no process stops.
 */
export class RotatingLog {
  readonly path: string
  readonly #mostBytes: number
  readonly #onNews: (text: string) => void
  #file: number
  #bytes: number
  #isFailing = false

  constructor(path: string, { limit = mostBytes, onNews }: Options) {
    this.path = path
    this.#mostBytes = limit
    this.#onNews = onNews
    this.#file = openSync(path, 'a', 0o600)
    this.#bytes = fstatSync(this.#file).size
  }

  write(chunk: Uint8Array): void {
    try {
      if (this.#bytes > 0 && this.#bytes + chunk.length > this.#mostBytes) this.#rotate()
      this.#bytes += writeSync(this.#file, chunk)
    } catch (error) {
      if (!this.#isFailing)
        this.#onNews(`cannot write ${this.path}; its output is lost until it can be written again: ${String(error)}`)
      this.#isFailing = true
      return
    }
    if (this.#isFailing) this.#onNews(`${this.path} is written again`)
    this.#isFailing = false
  }

  close(): void {
    closeSync(this.#file)
  }

  #rotate(): void {
    // The file is missing if an earlier rotation could not open the next one, or if somebody removed it.
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`)
    const last = this.#file
    this.#file = openSync(this.path, 'a', 0o600)
    this.#bytes = 0
    closeSync(last)
  }
}
