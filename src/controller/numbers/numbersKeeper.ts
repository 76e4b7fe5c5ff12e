import type { Logger } from 'pino'
import type { Numbers, NumbersSeries } from '../../api/numbers.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Ask, Answer } from '../../protocol/ask.ts'
import type { MachineNumbers } from '../../protocol/numbers.ts'
import type { Controller } from '../controller.ts'
import { newestNumbers, serviceFigures } from './newest.ts'
import { sampleOf, type Read, type Sample } from './sample.ts'
import { NumbersHistory } from './series.ts'

/** Interval of readings while somebody looks or a rollout runs, and at other times. */
export const lookedAtMs = 2_000
export const restMs = 10_000
/** Older figures of a machine count as missing, though they are still shown with their time. */
const staleMs = 30_000

type AskMachine = (machine: string, ask: Exclude<Ask, { kind: 'cancel' }>, signal: AbortSignal) => AsyncIterable<Answer>

interface Parts {
  controller: Controller
  logger: Logger
}

interface Machine {
  read: Read | null
  sample: Sample | null
  /** Those of the sample, once somebody asked for them. */
  figures: Numbers['services'] | null
  /** Why the last question brought no numbers, in words. */
  missing: string | null
  /** The start of an agent that does not know the question: it is not asked again. */
  olderBoot: number | null
  isAsked: boolean
}

/**
 * Asks the machines for their numbers, and keeps the last 15 minutes in memory. Nothing depends on them: a reading that
 * fails leaves a gap.
 */
export class NumbersKeeper {
  readonly #controller: Controller
  readonly #logger: Logger
  readonly #history = new NumbersHistory()
  readonly #machines = new Map<string, Machine>()
  readonly #listeners = new Set<(sample: Sample, before: Read | null) => void>()
  readonly #over = new AbortController()
  #ask: AskMachine | null = null
  #looks = 0
  #lastAt = -Infinity
  /** Until then, the interval stays short. */
  #slowAfter = -Infinity
  #stopTimer: () => void = () => {}
  #stopListening: () => void = () => {}

  constructor({ controller, logger }: Parts) {
    this.#controller = controller
    this.#logger = logger
  }

  /** Begins to ask. */
  start(ask: AskMachine): void {
    this.#ask = ask
    let wasRolling = false
    this.#stopListening = this.#controller.onChange(() => {
      const isRolling = this.#isRolling()
      // The last reading of a rollout comes soon after its end.
      if (wasRolling && !isRolling) this.#slowAfter = this.#lastAt + lookedAtMs
      if (wasRolling !== isRolling) this.#arm()
      wasRolling = isRolling
    })
    this.#arm()
  }

  /** Holds the short interval until the returned function is called. */
  look(): () => void {
    this.#looks += 1
    if (this.#looks === 1) this.#arm()
    let isOver = false
    return () => {
      if (!isOver) this.#looks -= 1
      isOver = true
    }
  }

  /** The newest figures of every machine. */
  newest(): Numbers {
    const { state } = this.#controller
    const now = this.#controller.now()
    const known = Object.keys(state.machines)
      .toSorted()
      .map((machine) => {
        const known = this.#machineOf(machine)
        const { sample, missing } = known
        if (sample) known.figures ??= serviceFigures(sample, this.#history)
        const isStale = sample === null || now - sample.at > staleMs
        return { machine, sample, services: known.figures ?? [], missing: missing ?? (isStale ? notYet : null) }
      })
    return newestNumbers(known, now)
  }

  /** Points after that time, in ms. */
  series(service: string | null, after: number): NumbersSeries {
    return this.#history.series(service, after)
  }

  /** Calls `listener` with each reading and the one before it. The listener must not throw. */
  onSample(listener: (sample: Sample, before: Read | null) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#over.abort()
    this.#stopTimer()
    this.#stopListening()
    this.#listeners.clear()
  }

  #isRolling(): boolean {
    return Object.values(this.#controller.state.rollouts).some(({ stage }) => stage !== 'finished')
  }

  #arm(): void {
    this.#stopTimer()
    if (this.#ask === null || this.#over.signal.aborted) return
    const { clock } = this.#controller
    const isFast = this.#looks > 0 || this.#isRolling() || this.#slowAfter > this.#lastAt
    const due = this.#lastAt + (isFast ? lookedAtMs : restMs) - clock.monotonic()
    this.#stopTimer = clock.after(Math.max(0, due), () => this.#tick())
  }

  #tick(): void {
    this.#lastAt = this.#controller.clock.monotonic()
    const { state, observed } = this.#controller
    for (const machine of this.#machines.keys()) if (!Object.hasOwn(state.machines, machine)) this.#forget(machine)
    for (const machine of Object.keys(state.machines)) {
      const boot = observed[machine]?.report.boot ?? null
      const known = this.#machineOf(machine)
      if (!known.isAsked && (known.olderBoot === null || known.olderBoot !== boot))
        void this.#read(machine, known, boot)
    }
    this.#arm()
  }

  /** Never rejects. */
  async #read(machine: string, known: Machine, boot: number | null): Promise<void> {
    const ask = { kind: 'numbers', id: this.#controller.newId() } as const
    known.isAsked = true
    known.olderBoot = null
    try {
      for await (const answer of this.#ask?.(machine, ask, this.#over.signal) ?? []) {
        if (answer.kind === 'numbers') this.#take(machine, known, answer.numbers)
        if (answer.kind !== 'error') continue
        known.missing = answer.message
        if (answer.code === 'E_NOT_FOUND') [known.olderBoot, known.missing] = [boot, older]
      }
    } catch (error) {
      known.missing = error instanceof Error ? error.message : String(error)
      if (!(error instanceof OperatorError)) this.#logger.error({ err: error, machine }, 'could not take in numbers')
    } finally {
      known.isAsked = false
    }
  }

  #take(machine: string, known: Machine, numbers: MachineNumbers): void {
    if (this.#machines.get(machine) !== known) return // removed meanwhile
    const { clock } = this.#controller
    const read = { at: clock.now(), monotonic: clock.monotonic(), numbers }
    const sample = sampleOf(machine, known.read, read)
    this.#history.add(sample)
    for (const listener of this.#listeners) listener(sample, known.read)
    Object.assign(known, { read, sample, figures: null, missing: null })
  }

  #machineOf(name: string): Machine {
    let known = this.#machines.get(name)
    const fresh = { read: null, sample: null, figures: null, missing: null, olderBoot: null, isAsked: false }
    if (!known) this.#machines.set(name, (known = fresh))
    return known
  }

  #forget(machine: string): void {
    this.#machines.delete(machine)
    this.#history.forgetMachine(machine)
  }
}

const notYet = 'the machine has not reported numbers for a while'
const older = 'not reported: the Tandem of this machine is older'
