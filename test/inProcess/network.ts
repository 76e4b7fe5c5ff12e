import type { ControllerConnection, Message, ReportAnswer } from '../../src/agent/controllerConnection.ts'
import type { AgentMessage, Link } from '../../src/controller/agentLinks.ts'
import { sleep, type Clock } from '../../src/lib/clock.ts'
import { OperatorError } from '../../src/lib/operatorError.ts'
import { answerSchema, type Answer } from '../../src/protocol/ask.ts'
import { reportSchema, type Report } from '../../src/protocol/report.ts'
import { reportChangeSchema, type ReportChange } from '../../src/protocol/reportChange.ts'

/** The controller as its agents reach it. */
export interface ControllerEnd {
  connect: (machine: string, link: Link) => () => void
  report: (machine: string, report: Report) => Promise<ReportAnswer>
  reportChange: (machine: string, change: ReportChange) => Promise<{ taken: boolean }>
  post: (machine: string, path: string, body: unknown) => Promise<unknown>
  answer: (machine: string, id: string, answers: AsyncIterable<Answer>) => Promise<void>
}

/**
 * The line between one machine and the controller:
 *   up      messages pass.
 *   cut     connections break at once, and none can be made.
 *   silent  half-open: connections stay, and nothing passes in either direction, until somebody loses patience.
 */
export type LineState = 'up' | 'cut' | 'silent'

/** As `ApiClient`: the heartbeats of a controller come more often. */
const silenceMs = 15_000

export interface LineFaults {
  state: LineState
  /** Longest delay of a message; each takes a random part of it. Messages of one stream stay in order. */
  delayMs: number
  /** Share of the answers to reports that are lost: the report counts, and the agent does not know. */
  losesAnswers: number
  /** Share of the reports that arrive a second time, later. */
  repeats: number
}

/** One machine's line, in memory. Messages are encoded and parsed as on the wire. */
export class Line {
  /** False: the agent is of a version that neither asks for changes nor sends them. */
  takesChanges = true
  /** Kinds of questions that the agent, of an older version, does not know. */
  unknown: string[] = []
  /** Called with the name of each report that reaches the controller. */
  onReport: (name: string) => void = () => {}
  /** Called with the name of each message that goes to the agent. */
  onMessage: (event: string) => void = () => {}
  faults: LineFaults = { state: 'up', delayMs: 5, losesAnswers: 0, repeats: 0 }
  #machine: string
  #end: () => ControllerEnd | null
  #clock: Clock
  #random: () => number
  #streams = new Set<Stream>()

  constructor(machine: string, end: () => ControllerEnd | null, clock: Clock, random: () => number) {
    this.#machine = machine
    this.#end = end
    this.#clock = clock
    this.#random = random
  }

  set(faults: Partial<LineFaults>): void {
    this.faults = { ...this.faults, ...faults }
    if (this.faults.state === 'cut') this.breakStreams()
  }

  /** The connections break, as when either process is killed. */
  breakStreams(): void {
    for (const stream of this.#streams) stream.fail(unreachable())
  }

  connection(): ControllerConnection {
    return {
      messages: (signal) => this.#messages(signal),
      report: async (report, signal) => {
        const taken = (body: unknown) => this.#reach().report(this.#machine, reportSchema.parse(body))
        const answer = await this.#send('report', report, signal, taken)
        return { ...answer, takesChanges: answer.takesChanges && this.takesChanges }
      },
      reportChange: (change, signal) =>
        this.#send('report-change', change, signal, (body) =>
          this.#reach().reportChange(this.#machine, reportChangeSchema.parse(body)),
        ),
      answer: (id, answers) => this.#answer(id, answers),
      post: (path, body, signal) =>
        this.#send(path, body, signal, (sent) => this.#reach().post(this.#machine, path, sent)),
      channel: async () => {
        throw unreachable()
      },
    }
  }

  async *#messages(signal: AbortSignal): AsyncIterable<Message> {
    await this.#hop(signal)
    const stream = new Stream(this.#clock)
    const abort = (): void => stream.end()
    signal.addEventListener('abort', abort)
    const send = (message: AgentMessage): void => {
      if (this.faults.state !== 'up') return
      this.onMessage(message.event)
      const isUnknown = message.event === 'ask' && this.unknown.includes(message.data.kind)
      const data = isUnknown ? { ...message.data, kind: 'horoscope' } : message.data
      stream.deliver({ event: message.event, data: JSON.stringify(data) }, this.#delay())
    }
    this.#streams.add(stream)
    let stopWaiting = (): void => {}
    const heard = (): void => {
      stopWaiting()
      stopWaiting = this.#clock.after(silenceMs, () => {
        if (this.faults.state === 'up') heard()
        else stream.fail(unreachable())
      })
    }
    let leave = (): void => {}
    try {
      const { takesChanges } = this
      leave = this.#reach().connect(this.#machine, { takesChanges, send, end: () => stream.end() })
      heard()
      for (;;) {
        const message = await stream.next()
        if (message === null) return
        yield message
      }
    } finally {
      stopWaiting()
      signal.removeEventListener('abort', abort)
      this.#streams.delete(stream)
      leave()
    }
  }

  async #send<T>(name: string, sent: unknown, signal: AbortSignal, taken: (body: unknown) => Promise<T>): Promise<T> {
    const text = JSON.stringify(sent)
    await this.#hop(signal)
    this.onReport(name)
    const take = async (): Promise<T> => taken(JSON.parse(text))
    if (this.#random() < this.faults.repeats) {
      this.#clock.after(this.#delay() + 3_000 * this.#random(), () => void take().catch(() => {}))
    }
    // A controller that is killed never answers.
    const answer = await Promise.race([take(), givenUp(signal)])
    if (this.#random() < this.faults.losesAnswers) throw unreachable()
    await this.#hop(signal)
    return answer
  }

  async #answer(id: string, answers: AsyncIterable<Answer | null>): Promise<void> {
    await this.#hop(new AbortController().signal)
    // Noticed with the next answer or sign of life.
    const isCut = (): boolean => this.faults.state === 'cut'
    async function* sent(): AsyncIterable<Answer> {
      const iterator = answers[Symbol.asyncIterator]()
      try {
        for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
          if (isCut()) throw unreachable()
          if (next.value !== null) yield answerSchema.parse(JSON.parse(JSON.stringify(next.value)))
        }
      } finally {
        // Its end waits for the next answer of the agent; the controller does not.
        void iterator.return?.()
      }
    }
    await this.#reach().answer(this.#machine, id, sent())
  }

  /** One way over the line. Throws when the line is cut; hangs while it is silent. */
  async #hop(signal: AbortSignal): Promise<void> {
    const delay = this.#delay()
    if (delay > 0) await sleep(this.#clock, delay, signal)
    if (this.faults.state === 'silent') {
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(unreachable()))
      this.#clock.after(silenceMs, () => reject(unreachable()))
      await promise
    }
    if (this.faults.state === 'cut' || signal.aborted) throw unreachable()
  }

  #reach(): ControllerEnd {
    const end = this.#end()
    if (end === null || this.faults.state === 'cut') throw unreachable()
    return end
  }

  #delay(): number {
    return this.faults.delayMs * this.#random()
  }
}

/** Rejects when the caller gives up. */
const givenUp = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(unreachable())))

const unreachable = (): OperatorError => new OperatorError('E_CONTROLLER_UNREACHABLE', 'the line is down')

class Stream {
  #clock: Clock
  #queue: Message[] = []
  #over: { error: unknown } | null = null
  #lastDue = 0
  #wake = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  deliver(message: Message, delayMs: number): void {
    this.#lastDue = Math.max(this.#lastDue, this.#clock.monotonic() + delayMs)
    this.#clock.after(this.#lastDue - this.#clock.monotonic(), () => {
      this.#queue.push(message)
      this.#wake.resolve()
    })
  }

  end(): void {
    this.#over ??= { error: null }
    this.#wake.resolve()
  }

  fail(error: unknown): void {
    this.#over ??= { error }
    this.#wake.resolve()
  }

  /** `null` at the end. */
  async next(): Promise<Message | null> {
    for (;;) {
      if (this.#over?.error) throw this.#over.error
      const message = this.#queue.shift()
      if (message) return message
      if (this.#over) return null
      await this.#wake.promise
      this.#wake = Promise.withResolvers()
    }
  }
}
