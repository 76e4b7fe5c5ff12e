import { OperatorError } from '../lib/operatorError.ts'
import { endAtSilence } from '../lib/silence.ts'
import type { Answer, Ask } from '../protocol/ask.ts'

export interface AskLimits {
  /** Answers buffered for a slow reader before its agent is held back. */
  buffered: number
  /** How long an agent may take to begin answering. */
  beginMs: number
  /** An answer of which nothing comes for so long, not even a sign of life, has broken off. */
  silenceMs: number
}

export const askLimits: AskLimits = { buffered: 1_000, beginMs: 5_000, silenceMs: 15_000 }

/** An answer on its way from an agent to whoever asked. */
interface Open {
  machine: string
  queue: Answer[]
  hasEnded: boolean
  /** Stops the wait for the agent to begin. */
  begun: () => void
  /** Something to read, or the end. */
  readable: PromiseWithResolvers<void>
  /** Room for more; set while an agent is held back. */
  room: PromiseWithResolvers<void> | null
}

/** Questions to agents whose answers have not ended. */
export class Asks {
  #open = new Map<string, Open>()
  #send: (machine: string, ask: Ask) => boolean
  #limits: AskLimits

  /** `send` returns false when that machine is not connected. */
  constructor(send: (machine: string, ask: Ask) => boolean, limits: Partial<AskLimits> = {}) {
    this.#send = send
    this.#limits = { ...askLimits, ...limits }
  }

  /** Asks one machine; yields its answers until it ends, or `signal` aborts. Throws when it is not connected. */
  async *ask(machine: string, ask: Exclude<Ask, { kind: 'cancel' }>, signal: AbortSignal): AsyncIterable<Answer> {
    const timer = setTimeout(() => broken(open, `machine ${machine} did not answer`), this.#limits.beginMs)
    const open: Open = {
      ...{ machine, queue: [], hasEnded: false, room: null, readable: Promise.withResolvers() },
      begun: () => clearTimeout(timer),
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
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      this.#open.delete(ask.id)
      open.room?.resolve()
      if (!open.hasEnded) this.#send(machine, { kind: 'cancel', id: ask.id })
    }
  }

  /** How many questions wait for answers. */
  get size(): number {
    return this.#open.size
  }

  /** An agent begins to answer. Only the machine that was asked may; `null` when nobody waits for it (any more). */
  begin(id: string, machine: string | null): ((bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | null {
    const open = this.#open.get(id)
    if (!open || open.machine !== machine) return null
    open.begun()
    return (bytes) => endAtSilence(bytes, this.#limits.silenceMs)
  }

  /** An agent's answers arrive. Returns false when nobody waits for them any more. */
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
    next: 'tandem machines   shows when it was last heard of; its services go on without the controller',
  })
