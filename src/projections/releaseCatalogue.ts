import type { ReleaseSource } from '../events/fleetEvents.ts'
import type { RecordedEvent } from '../events/event.ts'

/** A published release as users see it. */
export interface ReleaseView {
  release: string
  service: string
  bytes: number
  publishedAt: string
  /** Name of the token that published it; `null`: not recorded. */
  by: string | null
  /** The commit that it was published from; `null`: not recorded, or the folder was in no git repository. */
  source: ReleaseSource | null
  /** True once its content was collected: no rollout to it is possible any more. */
  collected: boolean
  /** When a rollout to it last completed. */
  completedAt: string | null
}

/** Number of collected releases kept for reading; older ones are in the event log. */
const collectedKept = 1_000

/** The existing releases and the last collected ones, oldest first; folded from events. */
export class ReleaseCatalogue {
  #releases = new Map<string, ReleaseView>()
  /** Release by running rollout. */
  #asked = new Map<string, string>()

  /** Continues from a `snapshot`. */
  constructor({ releases, asked }: ReturnType<ReleaseCatalogue['snapshot']> = { releases: [], asked: [] }) {
    for (const release of releases) this.#releases.set(release.release, release)
    this.#asked = new Map(asked)
  }

  /** Everything that is known, in JSON's types. */
  snapshot(): { releases: ReleaseView[]; asked: [string, string][] } {
    return { releases: [...this.#releases.values()], asked: [...this.#asked] }
  }

  all(service: string | null = null): ReleaseView[] {
    return [...this.#releases.values()].filter((release) => service === null || release.service === service)
  }

  get(release: string): ReleaseView | undefined {
    return this.#releases.get(release)
  }

  fold(event: RecordedEvent): void {
    switch (event.type) {
      case 'ReleasePublished': {
        const { release, service, bytes, source = null } = event.data
        this.#releases.delete(release)
        const view = {
          release,
          service,
          bytes,
          publishedAt: event.at,
          by: event.by ?? null,
          source,
          collected: false,
          completedAt: null,
        }
        this.#releases.set(release, view)
        return
      }
      case 'ReleasesCollected':
        for (const id of event.data.releases) {
          const release = this.#releases.get(id)
          if (release) release.collected = true
        }
        return this.#forgetOldest()
      case 'RolloutStarted':
        this.#asked.set(event.data.rollout, event.data.release)
        return
      case 'RolloutFinished': {
        const release = this.#releases.get(this.#asked.get(event.data.rollout) ?? '')
        if (release && event.data.state === 'completed') release.completedAt = event.at
        this.#asked.delete(event.data.rollout)
        return
      }
      default:
        return
    }
  }

  #forgetOldest(): void {
    const collected = [...this.#releases.values()].filter((release) => release.collected)
    for (const { release } of collected.slice(0, -collectedKept)) this.#releases.delete(release)
  }
}
