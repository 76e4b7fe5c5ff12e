import type { Surroundings } from '../../src/agent/composeAgent.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { sleep } from '../../src/lib/clock.ts'
import { OperatorError } from '../../src/lib/operatorError.ts'

type Cache = Surroundings['cache']

/** A machine's releases without files: which it has, in the order of fetching, and how fetching goes wrong. */
export class MemoryCache implements Cache {
  readonly releases: string[] = []
  fetchMs = 20
  isFull = false
  /** Releases that the machine cannot fetch. */
  readonly unfetchable = new Set<string>()
  #clock: Clock
  #isReachable: () => boolean

  constructor(clock: Clock, isReachable: () => boolean) {
    this.#clock = clock
    this.#isReachable = isReachable
  }

  async has(id: string): Promise<boolean> {
    return this.releases.includes(id)
  }

  async fetch(id: string, _source: unknown, { signal }: { signal?: AbortSignal } = {}): ReturnType<Cache['fetch']> {
    const got = { fetchedObjects: 0, fetchedBytes: 0 }
    if (this.releases.includes(id)) return got
    await sleep(this.#clock, this.fetchMs, signal)
    signal?.throwIfAborted()
    if (!this.#isReachable()) throw new OperatorError('E_CONTROLLER_UNREACHABLE', 'the line is down')
    if (this.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    if (this.unfetchable.has(id)) throw new Error('hash mismatch')
    if (!this.releases.includes(id)) this.releases.push(id)
    return got
  }

  async materialise(id: string): Promise<string> {
    return this.open(id)
  }

  async open(id: string): Promise<string> {
    if (!this.releases.includes(id)) throw new Error(`release ${id} is not in the cache`)
    return `/cache/releases/${id}`
  }

  async collect(policy: Parameters<Cache['collect']>[0]): ReturnType<Cache['collect']> {
    const { keep, lastPerService } = policy()
    const others = this.releases.filter((id) => !keep.has(id))
    const removedReleases = others.slice(0, Math.max(0, others.length - lastPerService))
    for (const id of removedReleases) this.releases.splice(this.releases.indexOf(id), 1)
    return { removedReleases, removedObjects: 0, removedBytes: 0, keptBytes: 0 }
  }
}
