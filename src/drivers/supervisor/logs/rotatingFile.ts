import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, renameSync, write as writeFd } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

/** As write(2): resolves with the number of bytes written. */
export type WriteBytes = (fd: number, bytes: Buffer, at: number, length: number, position: number) => Promise<number>

const write: WriteBytes = (...args) => promisify(writeFd)(...args).then(({ bytesWritten }) => bytesWritten)

/** The file that holds the output from before the current file. */
export const olderFile = (file: string): string => `${file}.1`

/** A file that grows up to a limit, then becomes the older file and begins again. */
export class RotatingFile {
  readonly #file: string
  readonly #limitBytes: number
  readonly #write: WriteBytes
  #fd: number | null = null
  #size = 0

  constructor(file: string, limitBytes: number, writeBytes: WriteBytes = write) {
    this.#file = file
    this.#limitBytes = limitBytes
    this.#write = writeBytes
  }

  /** Bytes of the current file that were added whole. */
  get size(): number {
    return this.#size
  }

  /** Adds all bytes, or none. One call at a time. Resolves with their number; rejects with the error of the disk. */
  async add(bytes: Buffer): Promise<number> {
    if (this.#fd === null) {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
      this.#fd = openSync(this.#file, 'a+', 0o600)
      this.#size = fstatSync(this.#fd).size
    }
    if (this.#size > 0 && this.#size + bytes.length > this.#limitBytes) this.#fd = this.#rotate(this.#fd)
    const fd = this.#fd
    try {
      for (let at = 0; at < bytes.length;) at += await this.#write(fd, bytes, at, bytes.length - at, this.#size + at)
      this.#size += bytes.length
      return bytes.length
    } catch (error) {
      this.#abandon(fd)
      throw error
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  /** A half-written line would corrupt the next line. The next attempt opens the file again. */
  #abandon(fd: number): void {
    try {
      ftruncateSync(fd, this.#size)
    } catch {
      // The error of the write has more detail.
    }
    closeSync(fd)
    this.#fd = null
  }

  /**
   * Runs in one event-loop turn, so that a reader finds either both files before the rotation or both files after it.
   */
  #rotate(current: number): number {
    if (existsSync(this.#file)) renameSync(this.#file, olderFile(this.#file))
    const fresh = openSync(this.#file, 'a+', 0o600)
    closeSync(current)
    this.#size = 0
    return fresh
  }
}
