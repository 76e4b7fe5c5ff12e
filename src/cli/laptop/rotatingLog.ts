import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** One file of this size and the one before it: a laptop's log takes at most twice this. */
const mostBytes = 10 * 1024 * 1024

interface Options {
  limit?: number
  /** That it cannot be written, and that it can again. */
  onNews: (text: string) => void
}

/**
 * A child's output on disk, bounded. Written at once, so that what a crash printed last is there; what a full disk does not
 * take is lost, and nobody ends for it.
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
      if (!this.#isFailing) this.#onNews(`${this.path} cannot be written, what it prints is lost: ${String(error)}`)
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
    // Not there: a rotation that could not open the next, or somebody removed it.
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`)
    const last = this.#file
    this.#file = openSync(this.path, 'a', 0o600)
    this.#bytes = 0
    closeSync(last)
  }
}
