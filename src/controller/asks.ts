import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { endAtSilence } from '../lib/silence.ts'
import type { Answer, Ask } from '../protocol/ask.ts'

export interface AskLimits {
  /** Answers buffered for a slow reader before its agent is held back. */
  buffered: number
  /** Time an agent may take to begin its answer. */
  beginMs: number
  /** An answer counts as broken off when no bytes arrive for this long, not even a heartbeat. */
  silenceMs: number
}

export const askLimits: AskLimits = { buffered: 1_000, beginMs: 5_000, silenceMs: 15_000 }

/** An answer in progress, from an agent to the caller that asked. */
interface Open {
  machine: string
  queue: Answer[]
  hasEnded: boolean
  /** The agent begins: stops the timer that waits for that. */
  begun: () => void
  /** Resolves when there is an answer to read, or when the answer has ended. */
  readable: PromiseWithResolvers<void>
  /** Resolves when the queue has room again; set while the agent is held back. */
  room: PromiseWithResolvers<void> | null
}

/** Open questions to agents: their answers have not ended. */
export class Asks {
  #open = new Map<string, Open>()
  #send: (machine: string, ask: Ask) => boolean
  #clock: Clock
  #limits: AskLimits

  /** `send` returns false when that machine is not connected. */
  constructor(send: (machine: string, ask: Ask) => boolean, clock: Clock, limits: Partial<AskLimits> = {}) {
    this.#send = send
    this.#clock = clock
    this.#limits = { ...askLimits, ...limits }
  }

  /**
   * Asks one machine and yields its answers until they end or `signal` aborts. Throws when the machine is not
   * connected. `begun` is called when its answer begins.
   */
  async *ask(
    machine: string,
    ask: Exclude<Ask, { kind: 'cancel' }>,
    signal: AbortSignal,
    begun = (): void => {},
  ): AsyncIterable<Answer> {
    const late = (): void => broken(open, `machine ${machine} did not answer`)
    const stopTimer = this.#clock.after(this.#limits.beginMs, late)
    const open: Open = {
      ...{ machine, queue: [], hasEnded: false, room: null, readable: Promise.withResolvers() },
      begun: () => {
        stopTimer()
        begun()
      },
    }
    this.#open.set(ask.id, open)
    const aborted = (): void => open.readable.resolve()
    signal.addEventListener('abort', aborted)
    try {
      if (!this.#send(machine, ask)) {
        open.hasEnded = true
        throw notConnected(machine)
      }
      yield* this.#read(open, signal)
    } finally {
      stopTimer()
      signal.removeEventListener('abort', aborted)
      this.#open.delete(ask.id)
      open.room?.resolve()
      if (!open.hasEnded) this.#send(machine, { kind: 'cancel', id: ask.id })
    }
  }

  /** Number of questions that wait for answers. */
  get size(): number {
    return this.#open.size
  }

  /**
   * Called when an agent begins to answer. Returns `null` when a machine answers that was not asked, or when no caller
   * waits any more.
   */
  begin(id: string, machine: string | null): ((bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | null {
    const open = this.#open.get(id)
    if (!open || open.machine !== machine) return null
    open.begun()
    return (bytes) => endAtSilence(bytes, this.#limits.silenceMs, this.#clock)
  }

  /** Passes an agent's answers to the caller. Returns false when no caller waits for them any more. */
  async answer(id: string, answers: AsyncIterable<Answer>): Promise<boolean> {
    const open = this.#open.get(id)
    if (!open) return false
    try {
      for await (const answer of answers) {
        if (!this.#open.has(id)) return false
        await this.#push(open, answer)
      }
      open.hasEnded = true
      open.readable.resolve()
      return true
    } catch (error) {
      broken(open, `the answer of machine ${open.machine} broke off`)
      throw error
    }
  }

  async *#read(open: Open, signal: AbortSignal): AsyncIterable<Answer> {
    while (!signal.aborted) {
      const answer = open.queue.shift()
      if (answer) {
        if (open.queue.length < this.#limits.buffered) open.room?.resolve()
        yield answer
      } else if (open.hasEnded) return
      else {
        await open.readable.promise
        open.readable = Promise.withResolvers()
      }
    }
  }

  async #push(open: Open, answer: Answer): Promise<void> {
    open.queue.push(answer)
    open.readable.resolve()
    if (open.queue.length < this.#limits.buffered) return
    open.room = Promise.withResolvers()
    await open.room.promise
    open.room = null
  }
}

function broken(open: Open, message: string): void {
  if (open.hasEnded) return
  open.queue.push({ kind: 'error', code: 'E_MACHINE_UNREACHABLE', message })
  open.hasEnded = true
  open.readable.resolve()
}

const notConnected = (machine: string): OperatorError =>
  new OperatorError('E_MACHINE_UNREACHABLE', `machine ${machine} is not connected to the controller`, {
    subject: machine,
    next: 'tandem machines   shows when the machine last reported; its services keep running without the controller',
  })
