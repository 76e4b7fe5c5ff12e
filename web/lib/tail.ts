import { effect, signal, type ReadonlySignal } from '@preact/signals-core'
import type { TailItem } from '../../src/api/tails.ts'
import { Refused } from './api.ts'
import type { LiveStream, Timers } from './live.ts'
import { SeenLines } from '../../src/lib/seenLines.ts'

export interface TailQuery {
  service: string
  machine?: string | null
  /** An id or an unambiguous prefix. */
  instance?: string | null
  /** ISO 8601. */
  since?: string | null
  /** At first only so many lines of each machine. */
  last?: number | null
}

/**
 *   opening   the controller has not answered yet, or the page is not live: the tail goes on by itself
 *   open      lines come
 *   refused   the controller refuses the tail, for that reason; it is asked again later
 */
export interface TailState {
  state: 'opening' | 'open' | 'refused'
  code: string | null
  reason: string | null
}

export interface OpenTail {
  state: ReadonlySignal<TailState>
  /** Takes nothing until `goOn`, which begins where it paused. */
  pause: () => void
  goOn: () => void
  close: () => void
}

type Wanted = Required<TailQuery> & { tail: string; resume: Record<string, string> }

interface Parts {
  stream: ReadonlySignal<LiveStream | null>
  onTail: (tail: string, heard: (items: TailItem[]) => void) => () => void
  begin: (stream: string, wanted: Wanted) => Promise<unknown>
  /** Never rejects. */
  end: (stream: string, tail: string) => void
  timers: Timers
  newId: () => string
}

/** The tail is asked for again after this time when no answer came; a refused one later, since the reason may pass. */
const [againMs, afterRefusalMs] = [2_000, 15_000]

/**
 * Output as it comes. When the stream begins again, the tail is added to the new one and goes on from the newest line of
 * each machine, so that no line is missing and none comes twice.
 */
export class Tail implements OpenTail {
  readonly #parts: Parts
  readonly #query: Required<TailQuery>
  readonly #heard: (items: TailItem[]) => void
  readonly #state = signal<TailState>({ state: 'opening', code: null, reason: null })
  readonly #isPaused = signal(false)
  /** Steps when the tail is asked for again. */
  readonly #attempt = signal(0)
  readonly #seen = new Map<string, SeenLines>()
  readonly #cut = new Set<string>()
  readonly #stop: () => void

  constructor(query: TailQuery, heard: (items: TailItem[]) => void, parts: Parts) {
    this.#parts = parts
    this.#query = { machine: null, instance: null, since: null, last: null, ...query }
    this.#heard = heard
    this.#stop = effect(() => {
      void this.#attempt.value
      const { value: stream } = parts.stream
      if (this.#isPaused.value || stream === null) return undefined
      return this.#begin(stream.id)
    })
  }

  get state(): ReadonlySignal<TailState> {
    return this.#state
  }

  pause(): void {
    this.#isPaused.value = true
  }

  goOn(): void {
    this.#isPaused.value = false
  }

  close(): void {
    this.#stop()
  }

  /** Adds the tail to a stream; returns the function that removes it. */
  #begin(stream: string): () => void {
    const { onTail, begin, end, timers, newId } = this.#parts
    const tail = newId()
    let [isOver, stopTimer] = [false, () => {}]
    const resume: Record<string, string> = {}
    for (const [machine, seen] of this.#seen) {
      seen.resume()
      if (seen.newest !== null) resume[machine] = seen.newest
    }
    const stopHearing = onTail(tail, (items) => this.#take(items))
    // A refusal stays in sight while the tail is asked for again.
    if (this.#state.peek().state !== 'refused') this.#state.value = { state: 'opening', code: null, reason: null }
    begin(stream, { ...this.#query, tail, resume }).then(
      () => {
        if (!isOver) this.#state.value = { state: 'open', code: null, reason: null }
      },
      (error: unknown) => {
        if (isOver) return
        const isRefused = error instanceof Refused && error.code !== 'E_NO_SUCH_STREAM' && error.status < 500
        if (isRefused) this.#state.value = { state: 'refused', code: error.code, reason: error.message }
        stopTimer = timers.after(isRefused ? afterRefusalMs : againMs, () => (this.#attempt.value += 1))
      },
    )
    return () => {
      isOver = true
      stopTimer()
      stopHearing()
      end(stream, tail)
    }
  }

  #take(items: TailItem[]): void {
    const fresh = items.filter((item) => this.#isNew(item))
    if (fresh.length > 0) this.#heard(fresh)
  }

  #isNew(item: TailItem): boolean {
    const { machine } = item
    if (item.kind === 'open') return this.#cut.delete(machine)
    if (item.kind === 'cut') {
      const isKnown = this.#cut.has(machine)
      this.#cut.add(machine)
      return !isKnown
    }
    const seen = this.#seen.get(machine) ?? new SeenLines()
    this.#seen.set(machine, seen)
    return !seen.add(item)
  }
}
