import { OperatorError } from '../lib/operatorError.ts'
import type { Answer, Ask } from '../protocol/ask.ts'

/** Answers buffered for a slow reader before its agent is held back. */
const bufferedAnswers = 1_000
/** How long an agent may take to begin answering. */
const answerWithinMs = 5_000

/** An answer on its way from an agent to whoever asked. */
interface Open {
  push: (answer: Answer) => Promise<void>
  end: () => void
}

/** Questions to agents whose answers have not ended. */
export class Asks {
  #open = new Map<string, Open>()
  #send: (machine: string, ask: Ask) => boolean

  /** `send` returns false when that machine is not connected. */
  constructor(send: (machine: string, ask: Ask) => boolean) {
    this.#send = send
  }

  /** Asks one machine; yields its answers until it ends, or `signal` aborts. */
  async *ask(machine: string, ask: Exclude<Ask, { kind: 'cancel' }>, signal: AbortSignal): AsyncIterable<Answer> {
    const queue: Answer[] = []
    let ended = false
    let wake = Promise.withResolvers<void>()
    let room = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      queue.push({ kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: `machine ${machine} did not answer` })
      ended = true
      wake.resolve()
    }, answerWithinMs)
    this.#open.set(ask.id, {
      push: async (answer) => {
        clearTimeout(timer)
        queue.push(answer)
        wake.resolve()
        if (queue.length >= bufferedAnswers) await room.promise
      },
      end: () => {
        clearTimeout(timer)
        ended = true
        wake.resolve()
      },
    })
    const aborted = (): void => wake.resolve()
    signal.addEventListener('abort', aborted)
    try {
      if (!this.#send(machine, ask)) throw notConnected(machine)
      while (!signal.aborted) {
        const answer = queue.shift()
        if (answer) {
          yield answer
          if (queue.length < bufferedAnswers) {
            room.resolve()
            room = Promise.withResolvers()
          }
        } else if (ended) return
        else {
          await wake.promise
          wake = Promise.withResolvers()
        }
      }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      this.#open.delete(ask.id)
      room.resolve()
      if (!ended) this.#send(machine, { kind: 'cancel', id: ask.id })
    }
  }

  /** An agent's answers arrive. Returns false when nobody waits for them any more. */
  async answer(id: string, answers: AsyncIterable<Answer>): Promise<boolean> {
    const open = this.#open.get(id)
    if (!open) return false
    try {
      for await (const answer of answers) {
        if (!this.#open.has(id)) return false
        await open.push(answer)
      }
      return true
    } finally {
      open.end()
    }
  }
}

const notConnected = (machine: string): OperatorError =>
  new OperatorError('E_MACHINE_UNREACHABLE', `machine ${machine} is not connected to the controller`, {
    subject: machine,
    next: 'tandem machines   shows when it was last heard of; its services go on without the controller',
  })
