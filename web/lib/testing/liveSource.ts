import { differenceOf } from '../../../src/protocol/difference.ts'
import type { TailItem } from '../../../src/api/tails.ts'
import type { VirtualClock } from '../../../src/lib/testing/virtualClock.ts'
import { Refused } from '../api.ts'
import type { Message, Sharing, TabMessage } from '../live.ts'

export interface Model {
  items: { id: number }[]
  numbers: Record<string, number>
}

type Line = Extract<TailItem, { kind: 'line' }>

interface Reader {
  id: string
  queue: Message<Model>[]
  wake: () => void
  isCut: boolean
  /** Time from which on a tail wants the lines of a machine. */
  tails: Map<string, (machine: string) => string>
}

/** A controller with a stream: whole at first, then each change; a beat every 5 s. */
export class Source {
  model: Model = { items: [], numbers: {} }
  isDown = false
  isSilent = false
  refusal: Refused | null = null
  /** Number of streams that were opened. */
  opened = 0
  readonly #clock: VirtualClock
  readonly #readers = new Set<Reader>()
  readonly #lines: Line[] = []

  constructor(clock: VirtualClock) {
    this.#clock = clock
    const beat = (): void => {
      if (!this.isSilent) this.#send({ kind: 'beat', at: this.#at() })
      clock.after(5_000, beat)
    }
    clock.after(5_000, beat)
  }

  get readers(): number {
    return this.#readers.size
  }

  /** `isLost`: readers do not hear of it. */
  change(now: Model, { isLost = false } = {}): void {
    const change = JSON.parse(JSON.stringify(differenceOf({ ...this.model }, { ...now }))) as never // as the wire has it
    this.model = now
    if (!isLost) this.#send({ kind: 'change', at: this.#at(), change })
  }

  /** Adds a tail to a stream: its lines so far come at once. */
  openTail(stream: string, tail: string, resume: Record<string, string>): void {
    const reader = [...this.#readers].find(({ id, isCut }) => id === stream && !isCut)
    if (!reader) throw refusal('E_NO_SUCH_STREAM', 404)
    const from = (machine: string): string => resume[machine] ?? ''
    reader.tails.set(tail, from)
    const items = this.#lines.filter(({ at, machine }) => at >= from(machine))
    reader.queue.push({ kind: 'tail', at: this.#at(), tail, items })
    reader.wake()
  }

  endTail(stream: string, tail: string): void {
    for (const { id, tails } of this.#readers) if (id === stream) tails.delete(tail)
  }

  get tails(): number {
    return [...this.#readers].reduce((sum, { tails }) => sum + tails.size, 0)
  }

  print(machine: string, text: string): void {
    const line: Line = { kind: 'line', at: this.#at(), machine, instance: `shop-${machine}`, stream: 'out', text }
    this.#lines.push(line)
    for (const reader of this.#readers) {
      for (const tail of reader.tails.keys()) reader.queue.push({ kind: 'tail', at: line.at, tail, items: [line] })
      reader.wake()
    }
  }

  cut(): void {
    for (const reader of this.#readers) {
      reader.isCut = true
      reader.wake()
    }
  }

  async *read(signal: AbortSignal): AsyncIterable<Message<Model>> {
    this.opened++
    if (this.refusal) throw this.refusal
    if (this.isDown) throw new TypeError('refused')
    const reader: Reader = { id: String(this.opened), queue: [], wake: () => {}, isCut: false, tails: new Map() }
    this.#readers.add(reader)
    signal.addEventListener('abort', () => reader.wake())
    try {
      yield { kind: 'whole', at: this.#at(), overview: structuredClone(this.model), stream: reader.id }
      while (!signal.aborted) {
        if (reader.isCut) throw new TypeError('cut')
        const message = reader.queue.shift()
        if (message) yield message
        else await new Promise<void>((resolve) => (reader.wake = resolve))
      }
      throw new TypeError('aborted')
    } finally {
      this.#readers.delete(reader)
    }
  }

  #at(): string {
    return new Date(this.#clock.now()).toISOString()
  }

  #send(message: Message<Model>): void {
    for (const reader of this.#readers) {
      reader.queue.push(message)
      reader.wake()
    }
  }
}

/** The lock and the channel of one browser. */
export class Browser {
  readonly #waiting: (() => void)[] = []
  #isHeld = false
  readonly #listeners = new Map<object, (message: TabMessage<Model>) => void>()

  sharing(): Sharing<Model> {
    const self = {}
    return {
      lead: async (signal, work) => {
        if (this.#isHeld) {
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#waiting.push(resolve)
          signal.addEventListener('abort', () => {
            this.#waiting.splice(this.#waiting.indexOf(resolve) >>> 0, 1)
            resolve()
          })
          await promise
          if (signal.aborted) return
        }
        this.#isHeld = true
        await work().finally(() => {
          this.#isHeld = false
          this.#waiting.shift()?.()
        })
      },
      post: (message) => {
        const copy = structuredClone(message)
        for (const [owner, listener] of this.#listeners) if (owner !== self) queueMicrotask(() => listener(copy))
      },
      listen: (heard) => {
        this.#listeners.set(self, heard)
        return () => this.#listeners.delete(self)
      },
    }
  }
}

export const refusal = (code: string, status: number, detail = 'refused'): Refused =>
  new Refused({ detail, code, status, next: null, type: '', title: '', subject: null })
