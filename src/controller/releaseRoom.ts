import type { StoreUsage } from '../api/overview.ts'
import { forCluster } from '../definitions/overlay.ts'
import type { Clock } from '../lib/clock.ts'
import { oneOf } from '../lib/oneOf.ts'
import type { ReleaseSource } from '../events/fleetEvents.ts'
import { parseManifest } from '../releases/manifest.ts'
import { ReleaseDepot } from '../releases/releaseDepot.ts'
import { readListing } from '../releases/releaseListing.ts'
import type { ReleaseStore } from '../releases/releaseStore.ts'
import { defaultLastPerService } from '../releases/storeCollection.ts'
import { keptByRooms } from '../decider/keeps.ts'
import type { Controller } from './controller.ts'

interface Options {
  controller: Controller
  store: ReleaseStore
  clock: Clock
  capBytes: number | null
  keepLast?: number
}

/** Publishes and collects releases, and keeps the depot's content and the log's facts consistent. */
export class ReleaseRoom {
  readonly depot: ReleaseDepot
  #controller: Controller

  constructor({ controller, store, clock, capBytes, keepLast = defaultLastPerService }: Options) {
    this.#controller = controller
    const policy = (): { keep: Set<string>; lastPerService: number; published: Published[] } => ({
      keep: this.#kept(),
      lastPerService: keepLast,
      published: Object.values(controller.state.releases).map(({ id, service, at }) => ({ release: id, service, at })),
    })
    this.depot = new ReleaseDepot({ store, clock, capBytes, policy, letGo: (releases) => this.#letGo(releases) })
  }

  /** How full the store is. */
  get usage(): StoreUsage {
    return { releases: Object.keys(this.#controller.state.releases).length, ...this.depot.room }
  }

  /**
   * Makes a release of uploaded objects and records it in the log. `fresh` is false when the release was published
   * before. `by`: the name of the caller.
   */
  async publish(
    manifestText: string,
    { by, source = null }: { by?: string; source?: ReleaseSource | null } = {},
  ): Promise<{ service: string; release: string; fresh: boolean }> {
    const bytes = Buffer.from(manifestText)
    const manifest = parseManifest(bytes)
    const { id } = await this.depot.commit(bytes)
    const { bytes: unpacked } = await readListing(manifest.tree, this.depot)
    const definition = forCluster(manifest.definition, this.#controller.config.cluster)
    const { service } = manifest
    const publish = { type: 'PublishRelease', service, release: id, definition, bytes: unpacked, source } as const
    const events = await this.#controller.execute(publish, by)
    return { service, release: id, fresh: events.some(({ type }) => type === 'ReleasePublished') }
  }

  /** Removes content that nothing needs any more; called after each rollout. */
  async collect(): Promise<void> {
    await this.depot.collect()
  }

  /** Finds the full id of the release that a prefix names. */
  resolve(service: string | null, prefix: string): string {
    const all = Object.values(this.#controller.state.releases)
    const ids = all.filter((release) => service === null || release.service === service).map(({ id }) => id)
    return oneOf(prefix, ids, 'releases', (id) => id.slice(0, 16)) ?? prefix
  }

  #kept(): Set<string> {
    return keptByRooms(this.#controller.state)
  }

  /**
   * Records the removal in the log first, and checks in the same step whether a rollout to one of the releases has
   * started. So no rollout starts to content that is being removed, and a crash in between leaves only content that the
   * next collection removes.
   */
  #letGo(releases: readonly string[]): Promise<boolean> {
    return this.#controller.exclusively(async (alone) => {
      const { state } = this.#controller
      const kept = this.#kept()
      if (releases.some((release) => kept.has(release))) return false
      const known = releases.filter((release) => Object.hasOwn(state.releases, release))
      if (known.length > 0) await alone.execute({ type: 'CollectReleases', releases: known })
      return true
    })
  }
}

interface Published {
  release: string
  service: string
  at: number
}
