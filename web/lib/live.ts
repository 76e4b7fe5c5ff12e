import { signal, type ReadonlySignal } from '@preact/signals-core'
import type { TailItem } from '../../src/api/tails.ts'
import { Refused } from './api.ts'
import { following, BaseMismatch, type DifferenceForm } from '../../src/lib/following.ts'

/*
 * The model that all pages show, live. One stream serves all tabs of a browser, because a browser makes few connections
 * to one host. The tabs that can be seen compete for a lock; its holder reads the stream and passes each message on to
 * the others. A hidden tab gives the lock up and reads nothing.
 *
 *   connecting  no message has come yet, or a tab was shown again
 *   live        the newest message is younger than `silenceMs`
 *   lost        the stream broke; the next try is at `nextTry`
 *   ended       the controller does not know the session any more
 */

/** A message of the stream (`/api/v1/live`); `at`: the time by the controller's clock, ISO 8601. */
export type Message<T> =
  | { kind: 'whole'; at: string; overview: T; stream: string | null }
  | { kind: 'change'; at: string; change: DifferenceForm }
  | { kind: 'beat'; at: string }
  | { kind: 'tail'; at: string; tail: string; items: TailItem[] }

/** A stream from one moment on: another object when messages may have been missed. */
export interface LiveStream {
  /** By which tails are added to it. */
  id: string
}

export interface Contact {
  state: 'connecting' | 'live' | 'lost' | 'ended'
  /** Time of the newest message by the controller's clock, in milliseconds since 1970; `null`: none has come. */
  asOf: number | null
  /** Why the stream broke. */
  reason: string | null
  /** When the next try begins, by this computer's clock. */
  nextTry: number | null
}

/** Between tabs: the holder of the lock passes on what it reads; the others ask for what they lack. */
export type TabMessage<T> =
  | { type: 'ask' }
  | { type: 'try' }
  | { type: 'model'; model: T; at: string; count: number; stream: string | null }
  | { type: 'passed'; message: Message<T>; count: number }
  | { type: 'contact'; contact: Contact }

/** How the tabs of a browser share one stream. */
export interface Sharing<T> {
  /** Calls `work` when this tab may read the stream, until `signal` aborts. */
  lead: (signal: AbortSignal, work: () => Promise<void>) => Promise<void>
  post: (message: TabMessage<T>) => void
  listen: (heard: (message: TabMessage<T>) => void) => () => void
}

export interface Timers {
  now: () => number
  after: (ms: number, fire: () => void) => () => void
}

interface Options<T> {
  /** Opens the stream; ends or throws when it breaks. Silence aborts the signal. */
  read: (signal: AbortSignal) => AsyncIterable<Message<T>>
  sharing: Sharing<T>
  timers: Timers
  random: () => number
}

/** A stream is given up after this silence; the controller sends a beat every 5 s. */
export const silenceMs = 15_000
const [firstRetryMs, mostRetryMs] = [1_000, 15_000]
const missed = 'The page missed a change.'

export class Live<T extends object> {
  readonly #options: Options<T>
  readonly #model = signal<T | null>(null)
  readonly #contact = signal<Contact>({ state: 'connecting', asOf: null, reason: null, nextTry: null })
  readonly #stream = signal<LiveStream | null>(null)
  readonly #tails = new Map<string, (items: TailItem[]) => void>()
  /** Local time of the newest message. */
  #heardAt = 0
  /** Number of messages so far, as all tabs count them. */
  #count = 0
  #isLeading = false
  #retryMs = firstRetryMs
  #wake: (() => void) | null = null
  #shown: AbortController | null = null

  constructor(options: Options<T>) {
    this.#options = options
  }

  get model(): ReadonlySignal<T | null> {
    return this.#model
  }

  get contact(): ReadonlySignal<Contact> {
    return this.#contact
  }

  /** The stream that all tabs share; `null`: there is none now. */
  get stream(): ReadonlySignal<LiveStream | null> {
    return this.#stream
  }

  /** Hears the messages of a tail that was added to the stream, until the returned function is called. */
  onTail(tail: string, heard: (items: TailItem[]) => void): () => void {
    this.#tails.set(tail, heard)
    return () => this.#tails.delete(tail)
  }

  /** The present time by the controller's clock, as far as its newest message tells; ms since 1970. */
  controllerNow(): number {
    const { asOf } = this.#contact.peek()
    const now = this.#options.timers.now()
    return asOf === null ? now : asOf + Math.max(0, now - this.#heardAt)
  }

  /** The tab can be seen. */
  show(): void {
    if (this.#shown !== null || this.#contact.peek().state === 'ended') return
    const shown = new AbortController()
    this.#shown = shown
    const { sharing } = this.#options
    const stop = sharing.listen((message) => this.#told(message))
    shown.signal.addEventListener('abort', stop)
    this.#watchSilence(shown.signal)
    sharing.post({ type: 'ask' })
    void sharing.lead(shown.signal, () => this.#lead(shown.signal))
  }

  /** Nobody sees the tab: it reads nothing until it is shown again. */
  hide(): void {
    this.#shown?.abort()
    this.#shown = null
    this.#stream.value = null
    if (this.#contact.peek().state !== 'ended') this.#say({ state: 'connecting', reason: null, nextTry: null })
  }

  /** Connects now, if this tab or the one that reads the stream waits. */
  tryNow(): void {
    if (!this.#isLeading) this.#options.sharing.post({ type: 'try' })
    this.#retryMs = firstRetryMs
    this.#wake?.()
  }

  async #lead(shown: AbortSignal): Promise<void> {
    this.#isLeading = true
    try {
      let before: string | null = null
      while (!shown.aborted) {
        const reason = await this.#readOnce(shown)
        if (shown.aborted || this.#contact.peek().state === 'ended') return
        // A new stream begins with the whole model. The second time in a row something else is wrong.
        const mayBeginAgain = reason === missed && before !== missed
        before = reason
        if (mayBeginAgain) continue
        const wait = this.#retryMs * (0.75 + this.#options.random() / 2)
        this.#retryMs = Math.min(mostRetryMs, this.#retryMs * 2)
        this.#say({ state: 'lost', reason, nextTry: this.#options.timers.now() + wait })
        await this.#pause(wait, shown)
      }
    } finally {
      this.#isLeading = false
    }
  }

  /** Reads the stream until it breaks, and returns why. */
  async #readOnce(shown: AbortSignal): Promise<string> {
    const broken = new AbortController()
    const signal = AbortSignal.any([shown, broken.signal])
    let stopTimer = (): void => {}
    const heard = (): void => {
      stopTimer()
      stopTimer = this.#options.timers.after(silenceMs, () => broken.abort())
    }
    heard()
    try {
      for await (const message of this.#options.read(signal)) {
        heard()
        this.#retryMs = firstRetryMs
        this.#take(message)
        this.#count++
        this.#options.sharing.post({ type: 'passed', message, count: this.#count })
      }
      return 'The controller ended the connection.'
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#say({ state: 'ended', reason: error.message })
      if (error instanceof Refused) return error.message
      if (error instanceof BaseMismatch) return missed
      return broken.signal.aborted ? 'The controller is silent.' : 'The controller does not answer.'
    } finally {
      stopTimer()
      broken.abort()
      this.#stream.value = null
    }
  }

  #take(message: Message<T>): void {
    if (message.kind === 'whole') {
      this.#model.value = message.overview
      this.#streamIs(message.stream)
    } else if (message.kind === 'tail') this.#tails.get(message.tail)?.(message.items)
    else if (message.kind === 'change') {
      const { value } = this.#model
      if (value === null) throw new BaseMismatch('the stream began with a change')
      this.#model.value = following(value, message.change) as T // the controller made the difference between two of them
    }
    this.#heard(message.at)
  }

  #streamIs(id: string | null): void {
    if (this.#stream.peek()?.id !== id) this.#stream.value = id === null ? null : { id }
  }

  #heard(at: string): void {
    this.#heardAt = this.#options.timers.now()
    this.#contact.value = { state: 'live', asOf: Date.parse(at), reason: null, nextTry: null }
  }

  /** Changes the contact, and tells the other tabs if this one reads the stream. */
  #say(change: Partial<Contact>): void {
    this.#contact.value = { ...this.#contact.peek(), ...change }
    if (this.#isLeading) this.#options.sharing.post({ type: 'contact', contact: this.#contact.peek() })
  }

  /** Another tab says something. */
  #told(message: TabMessage<T>): void {
    const { sharing } = this.#options
    if (message.type === 'ask') {
      const model = this.#model.peek()
      const { asOf, state } = this.#contact.peek()
      if (!this.#isLeading) return
      if (state !== 'live' || model === null || asOf === null) {
        sharing.post({ type: 'contact', contact: this.#contact.peek() })
      } else {
        const stream = this.#stream.peek()?.id ?? null
        sharing.post({ type: 'model', model, at: new Date(asOf).toISOString(), count: this.#count, stream })
      }
    } else if (message.type === 'try') {
      if (this.#isLeading) this.tryNow()
    } else if (this.#isLeading) return
    else if (message.type === 'contact') {
      this.#contact.value = message.contact
      if (message.contact.state !== 'live') this.#stream.value = null
    } else if (message.type === 'model') {
      this.#model.value = message.model
      if (message.count !== this.#count) this.#stream.value = null
      this.#streamIs(message.stream)
      this.#count = message.count
      this.#heard(message.at)
    } else this.#passed(message.message, message.count)
  }

  #passed(message: Message<T>, count: number): void {
    const isNext = count === this.#count + 1
    this.#count = count
    if (!isNext) this.#stream.value = null
    try {
      if (!isNext && message.kind !== 'whole') throw new BaseMismatch('a message is missing')
      this.#take(message)
    } catch {
      this.#options.sharing.post({ type: 'ask' })
    }
  }

  /** The tab that reads the stream may have been killed or stand still: then nothing says that the model is old. */
  #watchSilence(shown: AbortSignal): void {
    const check = (): void => {
      if (shown.aborted) return
      const { state } = this.#contact.peek()
      if (!this.#isLeading && state === 'live' && this.#options.timers.now() - this.#heardAt > silenceMs) {
        this.#say({ state: 'lost', reason: 'The controller is silent.', nextTry: null })
      }
      stop = this.#options.timers.after(1_000, check)
    }
    let stop = this.#options.timers.after(1_000, check)
    shown.addEventListener('abort', () => stop())
  }

  #pause(ms: number, shown: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = this.#options.timers.after(ms, resolve)
    this.#wake = resolve
    shown.addEventListener('abort', () => resolve(), { once: true })
    return promise.finally(() => {
      stop()
      this.#wake = null
    })
  }
}
