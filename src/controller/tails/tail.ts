import type { TailItem } from '../../api/tails.ts'
import { Backoff } from '../../lib/backoff.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Answer, Ask } from '../../protocol/ask.ts'
import { SeenLines } from '../../lib/seenLines.ts'

/** A tail holds at most about so much; then the machines are held back. */
const limits = { items: 1_000, chars: 64 * 1024 }
/** Lines of this time go into one message. */
const gatherMs = 50
/** Most characters of one message, unless a single line is longer. */
const messageChars = 24 * 1024
/** A machine that does not answer is asked again after these times. */
const againMs = { firstMs: 1_000, mostMs: 5_000 }

export interface Wanted {
  service: string
  machines: readonly string[]
  instance: string | null
  since: string | null
  last: number | null
  resume: Record<string, string>
}

interface Parts {
  /** Asks one machine; `begun` is called when it begins to answer. */
  ask: (
    machine: string,
    query: Omit<Extract<Ask, { kind: 'logs' }>, 'id'>,
    signal: AbortSignal,
    begun: () => void,
  ) => AsyncIterable<Answer>
  clock: Clock
  /** Resolves when the reader has taken the items. */
  send: (items: TailItem[]) => Promise<void>
}

/** The output of a service as it comes, from all its machines, until `signal` aborts. A slow reader holds the machines back. */
export class Tail {
  readonly #parts: Parts
  readonly #signal: AbortSignal
  /** Whether each machine answers, as the reader knows it. */
  readonly #answering = new Map<string, boolean>()
  #items: TailItem[] = []
  #chars = 0
  #arrived = Promise.withResolvers<void>()
  #taken = Promise.withResolvers<void>()

  constructor(parts: Parts, signal: AbortSignal) {
    this.#parts = parts
    this.#signal = signal
  }

  /** Resolves after `signal` has aborted. */
  async run(wanted: Wanted): Promise<void> {
    const wake = (): void => {
      this.#arrived.resolve()
      this.#taken.resolve()
    }
    this.#signal.addEventListener('abort', wake)
    await Promise.all([this.#send(), ...wanted.machines.map((machine) => this.#follow(machine, wanted))])
  }

  async #follow(machine: string, { service, instance, resume, ...wanted }: Wanted): Promise<void> {
    const { clock } = this.#parts
    const [seen, backoff] = [new SeenLines(), new Backoff(againMs, Math.random)]
    let from = resume[machine] === undefined ? wanted : { since: resume[machine], last: null }
    while (!this.#signal.aborted) {
      const query = { kind: 'logs', service, instance, since: from.since, last: from.last, follow: true } as const
      for await (const answer of this.#answers(machine, query)) {
        if (answer.kind === 'error') this.#cutOff(machine, answer)
        if (answer.kind !== 'line' || seen.add(answer)) continue
        backoff.reset()
        const { at, stream, text } = answer
        this.#add({ kind: 'line', at, machine, instance: answer.instance, stream, text })
        await this.#room()
      }
      await sleep(clock, backoff.next(), this.#signal)
      seen.resume()
      // The machine may not have answered at all yet: then it still owes the lines that were asked for at first.
      if (seen.newest !== null) from = { since: seen.newest, last: null }
    }
  }

  async *#answers(machine: string, query: Parameters<Parts['ask']>[1]): AsyncIterable<Answer> {
    const begun = (): void => {
      if (this.#answering.get(machine) === true) return
      this.#answering.set(machine, true)
      this.#add({ kind: 'open', at: this.#now(), machine })
    }
    try {
      yield* this.#parts.ask(machine, query, this.#signal, begun)
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error
      yield { kind: 'error', code: error.code, message: error.message }
    }
  }

  #cutOff(machine: string, { code, message }: Extract<Answer, { kind: 'error' }>): void {
    if (this.#answering.get(machine) === false) return
    this.#answering.set(machine, false)
    this.#add({ kind: 'cut', at: this.#now(), machine, code, text: message })
  }

  #now(): string {
    return new Date(this.#parts.clock.now()).toISOString()
  }

  #add(item: TailItem): void {
    this.#items.push(item)
    this.#chars += charsOf(item)
    this.#arrived.resolve()
  }

  get #isFull(): boolean {
    return this.#items.length >= limits.items || this.#chars >= limits.chars
  }

  async #room(): Promise<void> {
    while (this.#isFull && !this.#signal.aborted) await this.#taken.promise
  }

  async #send(): Promise<void> {
    const { clock, send } = this.#parts
    while (!this.#signal.aborted) {
      await this.#arrived.promise
      this.#arrived = Promise.withResolvers()
      await sleep(clock, gatherMs, this.#signal)
      while (this.#items.length > 0 && !this.#signal.aborted) await send(this.#take())
    }
  }

  /** The oldest items, as many as go into one message. */
  #take(): TailItem[] {
    let [count, chars] = [0, 0]
    for (const item of this.#items) {
      if (count > 0 && chars + charsOf(item) > messageChars) break
      count += 1
      chars += charsOf(item)
    }
    this.#chars -= chars
    this.#taken.resolve()
    this.#taken = Promise.withResolvers()
    return this.#items.splice(0, count)
  }
}

const charsOf = (item: TailItem): number => (item.kind === 'open' ? 0 : item.text.length) + 100
