import { signal, type ReadonlySignal } from '@preact/signals'
import type { Operations, Result } from '../../src/api/contract.ts'

type Found = Result<Operations['findEvents']>
export type TimelineEvent = Found['events'][number]

export interface Search {
  limit: number
  before?: number
  after?: number
}

interface Options {
  find: (search: Search, signal: AbortSignal) => Promise<Found>
  /** Waits that long, in ms. */
  pause: (ms: number) => Promise<void>
  /** The list begins near this event; `null`: with the newest. */
  around: number | null
}

/** Number of events read at a time. */
export const pageSize = 60
/** Number of positions that the list begins after the event that it is opened at. */
const lead = 40
/** Shortest time between two looks for newer events. */
const gapMs = 500

interface Shown {
  /** Newest first. */
  events: TimelineEvent[]
  /** Older ones are before this position; `null`: there are none. */
  next: number | null
}

/**
 * The events that a filter lets through, newest first. Older ones are read when somebody gets there; newer ones wait in
 * `waiting` until they are shown, so that nothing moves under the pointer.
 */
export class Timeline {
  readonly #options: Options
  readonly #shown = signal<Shown | null>(null)
  readonly #waiting = signal<TimelineEvent[]>([])
  readonly #failure = signal<string | null>(null)
  readonly #isReading = signal(false)
  readonly #isAtEnd = signal(true)
  readonly #closed = new AbortController()
  /** All events up to this position are shown or wait. */
  #known = 0
  /** The log goes up to here, as far as anybody said. */
  #end = 0
  #isLooking = false
  /** So many newer events came that some between were not read. */
  #hasGap = false

  constructor(options: Options) {
    this.#options = options
  }

  /** `null`: nothing was read yet. */
  get shown(): ReadonlySignal<Shown | null> {
    return this.#shown
  }

  /** Newer events than those shown. */
  get waiting(): ReadonlySignal<TimelineEvent[]> {
    return this.#waiting
  }

  get failure(): ReadonlySignal<string | null> {
    return this.#failure
  }

  get isReading(): ReadonlySignal<boolean> {
    return this.#isReading
  }

  /** The list begins with the newest event, not in the past. */
  get isAtEnd(): ReadonlySignal<boolean> {
    return this.#isAtEnd
  }

  /** Reads the first page. */
  async start(): Promise<void> {
    const { around } = this.#options
    await this.#read(around === null ? {} : { before: around + lead })
  }

  /** Reads the next page of older events. */
  async older(): Promise<void> {
    const shown = this.#shown.peek()
    if (shown?.next != null) await this.#read({ before: shown.next })
  }

  /** The log goes up to `position` now. */
  async heard(position: number): Promise<void> {
    this.#end = Math.max(this.#end, position)
    if (this.#isLooking || !this.#isAtEnd.peek() || this.#shown.peek() === null) return
    this.#isLooking = true
    try {
      while (this.#known < this.#end && this.#isAtEnd.peek() && !this.#closed.signal.aborted) {
        const found = await this.#options.find({ after: this.#known, limit: pageSize }, this.#closed.signal)
        this.#known = found.position
        const waiting = [...found.events, ...this.#waiting.peek()]
        if (found.next !== null || waiting.length > pageSize) this.#hasGap = true
        this.#waiting.value = waiting.slice(0, pageSize)
        await this.#options.pause(gapMs)
      }
    } catch {
      // The page says that it is not live; the next message tries again.
    } finally {
      this.#isLooking = false
    }
  }

  /** Shows the events that wait. */
  async showWaiting(): Promise<void> {
    const [waiting, shown] = [this.#waiting.peek(), this.#shown.peek()]
    if (this.#hasGap || !this.#isAtEnd.peek() || shown === null) return this.showNewest()
    this.#waiting.value = []
    this.#shown.value = { ...shown, events: [...waiting, ...shown.events] }
  }

  /** Begins again with the newest event. */
  async showNewest(): Promise<void> {
    this.#hasGap = false
    this.#waiting.value = []
    await this.#read({})
  }

  close(): void {
    this.#closed.abort()
  }

  async #read(from: { before?: number }): Promise<void> {
    if (this.#isReading.peek()) return
    this.#isReading.value = true
    const before = from.before ?? null
    const isFirst = before === null || this.#shown.peek() === null
    try {
      const { events, next, position } = await this.#options.find({ ...from, limit: pageSize }, this.#closed.signal)
      const known = isFirst ? [] : (this.#shown.peek()?.events ?? [])
      if (isFirst) {
        this.#known = position
        this.#end = Math.max(this.#end, position)
        this.#isAtEnd.value = before === null || before > position
      }
      this.#shown.value = { events: [...known, ...events], next }
      this.#failure.value = null
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#failure.value = error instanceof Error ? error.message : String(error)
    } finally {
      this.#isReading.value = false
    }
  }
}
