import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { sha256 } from '../lib/hash.ts'
import type { LogRange } from './eventLog.ts'
import { missing, seriesLimits, superseded, type SeriesLimits } from './snapshotSeries.ts'
import type { SnapshotStore } from './snapshotStore.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Length of a SHA-256 in hexadecimal. */
const sumChars = 64

export interface Snapshot {
  position: number
  /** JSON. */
  text: string
}

interface Options {
  store: SnapshotStore
  /** Version of the fold. Snapshots of other versions are ignored. */
  version: string
  /** Number of positions after which the next snapshot is taken. */
  every: number
  limits?: SeriesLimits
  /** Called with a snapshot that cannot be used. */
  unusable: (position: number, error: unknown) => void
}

/** The bounded series of snapshots of one version of the fold. Each carries a checksum. */
export class Snapshots {
  readonly every: number
  #options: Options
  #limits: SeriesLimits

  constructor(options: Options) {
    this.#options = options
    this.#limits = options.limits ?? seriesLimits
    this.every = options.every
  }

  /**
   * The newest snapshot at or before `position`, read by `read`. One that is damaged, or that `read` refuses, is passed
   * over. Never rejects: without a snapshot, the log has everything.
   */
  async newest<T>(position: number, read: (snapshot: Snapshot) => T): Promise<T | null> {
    for (const key of await this.#own()) {
      if (key.position > position) continue
      try {
        const content = await this.#options.store.read(key)
        if (content) return read({ position: key.position, text: await opened(content) })
      } catch (error) {
        this.#options.unusable(key.position, error)
      }
    }
    return null
  }

  /** Keeps a snapshot of a log that ends at `end`, and removes the ones that it makes unnecessary. */
  async keep({ position, text }: Snapshot, end = position): Promise<void> {
    const { store, version } = this.#options
    const key = { version, position }
    const content = await sealed(text)
    const others = (await store.list()).filter((one) => one.version !== version || one.position !== position)
    const all = [...others, { ...key, bytes: content.length }]
    const unneeded = superseded(version, end, all, this.#limits)
    if (unneeded.some((one) => one.version === version && one.position === position)) return
    await store.put(key, content, unneeded)
  }

  /** The stretches without a snapshot, of a log that ends at `end`; oldest first. Never rejects. */
  async missing(end: number): Promise<LogRange[]> {
    const { store, version, unusable } = this.#options
    try {
      return missing(version, end, await store.list(), this.#limits)
    } catch (error) {
      unusable(0, error)
      return []
    }
  }

  async #own(): Promise<{ version: string; position: number }[]> {
    const { store, version, unusable } = this.#options
    try {
      return (await store.list()).filter((key) => key.version === version)
    } catch (error) {
      unusable(0, error)
      return []
    }
  }
}

async function sealed(text: string): Promise<Uint8Array> {
  const packed = await compress(text)
  return Buffer.concat([Buffer.from(sha256(packed), 'latin1'), packed])
}

async function opened(content: Uint8Array): Promise<string> {
  const sum = Buffer.from(content.subarray(0, sumChars)).toString('latin1')
  const packed = content.subarray(sumChars)
  if (sha256(packed) !== sum) throw new Error('the checksum is wrong')
  return (await decompress(packed)).toString()
}
