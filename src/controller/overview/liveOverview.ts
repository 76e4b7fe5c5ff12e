import type { Check } from '../../api/checks.ts'
import type { NumbersSeries } from '../../api/numbers.ts'
import type { Live, Overview, StoreUsage } from '../../api/overview.ts'
import type { Status } from '../../api/views.ts'
import { encodeServerSentEvent } from '../../lib/serverSentEvents.ts'
import { differenceOf, type Difference } from '../../protocol/difference.ts'
import type { Controller } from '../controller.ts'
import { Piece } from '../http/piece.ts'
import type { NumbersKeeper } from '../numbers/numbersKeeper.ts'
import type { RecentChanges } from './recentChanges.ts'
import { overviewOf } from './view.ts'

/**
 * Shortest time between two messages, in ms: a person sees no difference, and a rollout makes dozens of events a second.
 * Reports and numbers of ten machines come as often, and to make the overview is all that a reader costs.
 */
const gaps = { event: 200, report: 1_000 }

interface Parts {
  controller: Controller
  changes: RecentChanges
  numbers: NumbersKeeper
  status: () => Status
  /** The newest checkups, and how full the release store is. */
  checks: () => readonly Check[]
  store: () => StoreUsage | null
}

/** Takes each message, whose bytes are made once for all readers. */
type Reader = (message: Piece) => void

/**
 * The overview as its readers have it. While somebody reads, it is made again after each change, in the time of its
 * `gaps`, and all readers get the same difference. While nobody reads, it costs nothing.
 */
export class LiveOverview {
  readonly #controller: Controller
  readonly #status: () => Status
  readonly #changes: RecentChanges
  readonly #rest: () => Parameters<typeof overviewOf>[3]
  readonly #numbers: NumbersKeeper
  readonly #readers = new Set<Reader>()
  #sent: Overview | null = null
  #stopListening: (() => void) | null = null
  #next: { dueAt: number; cancel: () => void } | null = null
  #lastAt = Number.NEGATIVE_INFINITY

  constructor({ controller, changes, numbers, status, checks, store }: Parts) {
    const series = (service: string | null): NumbersSeries => numbers.series(service, 0)
    this.#rest = () => ({ checks: checks(), store: store(), series })
    this.#controller = controller
    this.#changes = changes
    this.#numbers = numbers
    this.#status = status
  }

  async now(): Promise<Overview> {
    await this.#changes.ready()
    return this.#make()
  }

  #make(): Overview {
    return overviewOf(this.#status(), this.#numbers.newest(), this.#changes.all, this.#rest())
  }

  /** Sends the whole overview, then each difference from it, until the returned function is called. */
  async follow(read: Reader, stream: string): Promise<() => void> {
    await this.#changes.ready()
    this.#stopListening ??= this.#listen()
    read(this.whole(stream))
    this.#readers.add(read)
    return () => this.#leave(read)
  }

  /** The overview that the next difference follows, as a message. */
  whole(stream: string): Piece {
    return pieceOf({ kind: 'whole', at: this.#at(), stream, overview: this.#update() })
  }

  #at(): string {
    return new Date(this.#controller.now()).toISOString()
  }

  #listen(): () => void {
    const stops = [
      this.#controller.onChange(() => this.#changed(gaps.event)),
      this.#controller.onDecision(() => this.#changed(gaps.report)),
      this.#numbers.onSample(() => this.#changed(gaps.report)),
      this.#numbers.look(),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  #leave(read: Reader): void {
    this.#readers.delete(read)
    if (this.#readers.size > 0) return
    this.#stopListening?.()
    this.#next?.cancel()
    this.#sent = this.#stopListening = this.#next = null
  }

  #changed(gapMs: number): void {
    const { clock } = this.#controller
    const now = clock.monotonic()
    const dueAt = Math.max(now, this.#lastAt + gapMs)
    if (this.#next !== null && this.#next.dueAt <= dueAt) return
    this.#next?.cancel()
    const cancel = clock.after(dueAt - now, () => {
      this.#next = null
      this.#update()
    })
    this.#next = { dueAt, cancel }
  }

  /** Brings every reader to the present state. */
  #update(): Overview {
    const now = this.#make()
    this.#lastAt = this.#controller.clock.monotonic()
    if (this.#sent !== null && this.#readers.size > 0) {
      const change = differenceOf(this.#sent, now)
      if (!isEmpty(change)) {
        const message = pieceOf({ kind: 'change', at: this.#at(), change })
        for (const read of this.#readers) read(message)
      }
    }
    return (this.#sent = now)
  }
}

/** A message as it goes over the line. */
export const pieceOf = (message: Live): Piece => new Piece(encodeServerSentEvent({ data: JSON.stringify(message) }))

const isEmpty = ({ set, lists, records, gone }: Difference): boolean =>
  gone.length === 0 && [set, lists, records].every((part) => Object.keys(part).length === 0)
