import type { ReleaseCache } from '../../releases/releaseCache.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { Report } from '../../protocol/report.ts'
import { shortened } from '../agentReport.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import { ReleaseFetcher, type FetcherOptions } from './releaseFetcher.ts'

export type FetchCache = Pick<ReleaseCache, 'fetch' | 'materialise' | 'collect'>

interface Parts extends Omit<FetcherOptions, 'makeRoom' | 'cache'> {
  cache: FetchCache
  /** Largest size of the release cache in bytes; `null` means no limit. */
  capBytes: number | null
  keepLast: number
  problems: Problems
  /** Releases that run here, or are about to. */
  inUse: () => Iterable<string>
}

type Slice = Pick<Report, 'fetched' | 'fetchFailures'>

/** Brings the releases that this machine is to have, and removes those that nothing needs any more. */
export class Fetching implements MachineFeature<Slice> {
  #parts: Parts
  #fetcher: ReleaseFetcher
  #wanted: Pick<DesiredState, 'keep' | 'fetch'> = { keep: [], fetch: [] }

  constructor(parts: Parts) {
    this.#parts = parts
    this.#fetcher = new ReleaseFetcher({ ...parts, makeRoom: () => this.collect() })
  }

  want({ keep, fetch }: DesiredState): void {
    this.#wanted = { keep, fetch }
    this.#fetcher.want(fetch)
  }

  report(): Slice {
    const { fetched, failures } = this.#fetcher
    return {
      fetched: [...fetched],
      fetchFailures: [...failures].map(([release, message]) => ({ release, message: shortened(message) })),
    }
  }

  stop(): void {
    this.#fetcher.close()
  }

  /** Removes unneeded releases from the cache. Never rejects: a failure stays a problem until a later call succeeds. */
  async collect(): Promise<void> {
    const { cache, capBytes, keepLast: lastPerService, problems } = this.#parts
    try {
      await cache.collect(() => ({ keep: this.#needed(), lastPerService, capBytes }))
      problems.solved('cache')
    } catch (error) {
      problems.add('cache', error)
    }
  }

  #needed(): Set<string> {
    const { keep, fetch } = this.#wanted
    return new Set([...keep, ...fetch, ...this.#parts.inUse()])
  }
}
