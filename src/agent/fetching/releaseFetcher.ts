import type { Logger } from 'pino'
import { Backoff } from '../../lib/backoff.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { ReleaseSource } from '../../releases/releaseTarget.ts'

/** Attempts before a failing fetch is reported; failures because of an unreachable controller do not count. */
const triesBeforeReport = 3
const defaultRetry = { firstMs: 200, mostMs: 5_000 }
/** Longest delay between attempts on a full disk: each attempt fetches the whole release and removes it again. */
const fullDiskMs = 300_000

/** The part of the cache that the fetcher needs. */
export interface Fetching {
  fetch(release: string, source: ReleaseSource, options: { signal: AbortSignal }): Promise<unknown>
  materialise(release: string, options: { source: ReleaseSource; signal: AbortSignal }): Promise<unknown>
}

export interface FetcherOptions {
  cache: Fetching
  source: ReleaseSource
  logger: Logger
  changed: () => void
  /** Removes releases that nothing refers to. Never rejects. */
  makeRoom: () => Promise<void>
  clock: Clock
  random: () => number
  retry?: { firstMs: number; mostMs: number }
}

/** Fetches the wanted releases, all at the same time, and retries while they are wanted. */
export class ReleaseFetcher {
  readonly fetched = new Set<string>()
  readonly failures = new Map<string, string>()
  #options: FetcherOptions
  #wanted = new Map<string, AbortController>()

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  want(releases: readonly string[]): void {
    const dropped = [...this.#wanted.keys()].filter((release) => !releases.includes(release))
    // The objects of a partly fetched release belong to no release, and may be what fills the disk.
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

  /** Never rejects: a failure is retried, then reported. */
  async #bring(release: string, signal: AbortSignal): Promise<void> {
    const { cache, source, logger, changed, makeRoom, clock, random, retry = defaultRetry } = this.#options
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
        logger.warn({ err: error, release }, 'could not fetch a release; retrying')
        const isAbsent = error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
        if (!isAbsent && ++tries >= triesBeforeReport) {
          this.failures.set(release, error instanceof Error ? error.message : String(error))
          changed()
        }
        if (isFullDisk(error)) await makeRoom()
        await sleep(clock, isFullDisk(error) ? afterFull.next() : backoff.next(), signal)
      }
    }
  }
}

/** The store wraps the error; code that makes folders throws the error of the disk. */
const fullDiskCodes = ['E_STORE_FULL', 'ENOSPC', 'EDQUOT']

const isFullDisk = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && fullDiskCodes.includes(String(error.code))
