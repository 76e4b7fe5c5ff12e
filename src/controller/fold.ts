import type { RecordedEvent } from '../events/event.ts'
import { ReleaseCatalogue } from '../projections/releaseCatalogue.ts'
import { RolloutHistory } from '../projections/rolloutHistory.ts'
import { growChains, type Chains } from '../decider/chains.ts'
import { evolve } from '../decider/evolve.ts'
import { initialWorld, type World } from '../decider/rooms.ts'
import type { Config } from '../decision/base.ts'

/** Everything that is folded from the log, as a snapshot keeps it. */
interface Folded {
  state: World
  history: ReturnType<RolloutHistory['snapshot']>
  releases: ReturnType<ReleaseCatalogue['snapshot']>
  chains: [name: string, position: number][]
}

/** Everything that is folded from the event log, at one position. */
export class Fold {
  #state: World
  readonly history: RolloutHistory
  readonly releases: ReleaseCatalogue
  #chains: Map<string, number>

  /** A fold of no events; with `text`, the fold that `snapshot` wrote. */
  constructor(config: Config, text: string | null = null) {
    const kept = text === null ? null : (JSON.parse(text) as Folded) // its version and checksum say who wrote it
    // The configuration comes from the command line, not from the log; no event is folded differently by it.
    this.#state = kept ? { ...kept.state, config } : initialWorld(config)
    this.history = new RolloutHistory(kept?.history)
    this.releases = new ReleaseCatalogue(kept?.releases)
    this.#chains = new Map(kept?.chains)
  }

  get state(): World {
    return this.#state
  }

  get chains(): Chains {
    return this.#chains
  }

  fold(event: RecordedEvent): void {
    this.#state = evolve(this.#state, event)
    this.history.fold(event)
    this.releases.fold(event)
    growChains(this.#chains, event)
  }

  snapshot(): string {
    const { history, releases } = this
    const folded: Folded = {
      ...{ state: this.#state, history: history.snapshot(), releases: releases.snapshot() },
      chains: [...this.#chains],
    }
    return JSON.stringify(folded)
  }
}
