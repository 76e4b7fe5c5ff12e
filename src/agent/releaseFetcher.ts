import type { Logger } from 'pino'
import { Backoff, pause } from '../lib/backoff.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'

/** Tries before a fetch that fails for another reason than an absent controller is reported as failed. */
const triesBeforeReport = 3
const defaultRetry = { firstMs: 200, mostMs: 5_000 }
/** A release that does not fit is fetched whole at each try, and removed again. */
const fullDiskMs = 300_000

/** What the fetcher needs of the cache. */
export interface Fetching {
  fetch(release: string, source: ReleaseSource, options: { signal: AbortSignal }): Promise<unknown>
  materialise(release: string, options: { source: ReleaseSource; signal: AbortSignal }): Promise<unknown>
}

interface Options {
  cache: Fetching
  source: ReleaseSource
  logger: Logger
  changed: () => void
  /** Removes what nothing refers to. Never rejects. */
  makeRoom: () => Promise<void>
  random: () => number
  retry?: { firstMs: number; mostMs: number }
}

/** Brings the wanted releases here, all at once, and keeps trying while they are wanted. */
export class ReleaseFetcher {
  readonly fetched = new Set<string>()
  readonly failures = new Map<string, string>()
  #options: Options
  #wanted = new Map<string, AbortController>()

  constructor(options: Options) {
    this.#options = options
  }

  want(releases: readonly string[]): void {
    const dropped = [...this.#wanted.keys()].filter((release) => !releases.includes(release))
    // What came of one that is not whole belongs to none, and may be what fills the disk.
    const isRubbishLeft = dropped.some((release) => !this.fetched.has(release))
    for (const release of dropped) this.#drop(release)
    if (isRubbishLeft) void this.#options.makeRoom()
    for (const release of releases) {
      if (this.#wanted.has(release)) continue
      const stop = new AbortController()
      this.#wanted.set(release, stop)
      void this.#bring(release, stop.signal)
    }
  }

  close(): void {
    for (const release of this.#wanted.keys()) this.#drop(release)
  }

  #drop(release: string): void {
    this.#wanted.get(release)?.abort()
    this.#wanted.delete(release)
    this.fetched.delete(release)
    this.failures.delete(release)
  }

  /** Never rejects: what fails is tried again, and reported. */
  async #bring(release: string, signal: AbortSignal): Promise<void> {
    const { cache, source, logger, changed, makeRoom, random, retry = defaultRetry } = this.#options
    const backoff = new Backoff(retry, random)
    const afterFull = new Backoff({ ...retry, mostMs: fullDiskMs }, random)
    for (let tries = 0; !signal.aborted;) {
      try {
        await cache.fetch(release, source, { signal })
        await cache.materialise(release, { source, signal })
        if (signal.aborted) return
        this.failures.delete(release)
        this.fetched.add(release)
        changed()
        return
      } catch (error) {
        if (signal.aborted) return
        logger.warn({ err: error, release }, 'fetching a release failed; it is tried again')
        const isAbsent = error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
        if (!isAbsent && ++tries >= triesBeforeReport) {
          this.failures.set(release, error instanceof Error ? error.message : String(error))
          changed()
        }
        if (isFullDisk(error)) await makeRoom()
        await pause(isFullDisk(error) ? afterFull.next() : backoff.next(), signal)
      }
    }
  }
}

/** The store explains it; what makes folders throws as the disk does. */
const fullDiskCodes = ['E_STORE_FULL', 'ENOSPC', 'EDQUOT']

const isFullDisk = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && fullDiskCodes.includes(String(error.code))
