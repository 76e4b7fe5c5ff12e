import type { Logger } from 'pino'
import { Backoff } from '../lib/backoff.ts'
import { every, sleep, type Clock } from '../lib/clock.ts'
import { readAsk, type Ask, type UnknownAsk } from '../protocol/ask.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'
import type { ControllerConnection } from './controllerConnection.ts'
import { DesiredReader } from './desiredReader.ts'
import { ReportSender } from './reportSender.ts'

export interface LinkLimits {
  heartbeatMs: number
  reconnect: { firstMs: number; mostMs: number }
  resend: { firstMs: number; mostMs: number }
  /** Time after which an unanswered report is given up and a new one sent: the connection may be half-open. */
  reportMs: number
}

export const linkLimits: LinkLimits = {
  // Below the 10 s after which a machine counts as lost, with room for two lost heartbeats.
  heartbeatMs: 2_000,
  reconnect: { firstMs: 100, mostMs: 2_000 },
  resend: { firstMs: 50, mostMs: 1_000 },
  reportMs: 5_000,
}

interface Hooks {
  desired: (desired: DesiredState) => void
  ask: (ask: Ask | UnknownAsk) => void
  report: () => Report
  /** Called with each heartbeat. */
  beat: () => void
  /**
   * Called when the controller has answered a report: its last desired state is still valid. `laterBoot`: it ignored the
   * report, because it knows a later one: the start number in that one.
   */
  heard: (laterBoot: number | null) => void
}

/**
 * The agent's connection to its controller. Desired states and requests come down, reports go up. It reconnects for
 * ever.
 */
export class ControllerLink {
  #connection: ControllerConnection
  #reports: ReportSender
  #hooks: Hooks
  #logger: Logger
  #clock: Clock
  #random: () => number
  #limits: LinkLimits
  #closing = new AbortController()
  #dirty = false
  #sending = false
  #connected = false
  #lastRefusal = ''
  #stopBeat: () => void = () => {}

  constructor(
    connection: ControllerConnection,
    hooks: Hooks,
    logger: Logger,
    clock: Clock,
    random: () => number,
    limits: Partial<LinkLimits> = {},
  ) {
    this.#limits = { ...linkLimits, ...limits }
    this.#connection = connection
    this.#reports = new ReportSender(connection)
    this.#hooks = hooks
    this.#logger = logger
    this.#clock = clock
    this.#random = random
  }

  get connected(): boolean {
    return this.#connected
  }

  start(): void {
    void this.#listen()
    this.#stopBeat = every(this.#clock, this.#limits.heartbeatMs, () => {
      this.#hooks.beat()
      this.changed()
    })
  }

  /** Marks that there is something to report. It is sent at once, or right after the report that is being sent. */
  changed(): void {
    this.#dirty = true
    if (!this.#sending) void this.#send()
  }

  close(): void {
    this.#stopBeat()
    this.#closing.abort()
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing
    const backoff = new Backoff(this.#limits.reconnect, this.#random)
    while (!signal.aborted) {
      try {
        const reader = new DesiredReader()
        for await (const { event, data } of this.#connection.messages(signal)) {
          if (signal.aborted) return
          if (!this.#connected) this.#logger.info('connected to the controller')
          this.#connected = true
          if (event === 'desired') this.#hooks.desired(reader.whole(data))
          else if (event === 'desired-change') this.#hooks.desired(reader.change(data))
          else if (event === 'ask') this.#hooks.ask(readAsk(JSON.parse(data)))
          // Reset only after the message was parsed: a controller whose messages cannot be parsed is not called again
          // in a hurry.
          backoff.reset()
        }
      } catch (error) {
        if (this.#connected)
          this.#logger.warn({ err: error }, 'lost the connection to the controller; services continue; reconnecting')
        else this.#logger.debug({ err: error }, 'cannot reach the controller yet')
      }
      this.#connected = false
      await sleep(this.#clock, backoff.next(), signal)
    }
  }

  /** Never rejects: a report that cannot be sent is replaced by a newer one. */
  async #send(): Promise<void> {
    this.#sending = true
    const { signal } = this.#closing
    const backoff = new Backoff(this.#limits.resend, this.#random)
    // Changes later in this turn of the event loop go into the same report.
    await sleep(this.#clock, 0)
    while (this.#dirty && this.#connected && !signal.aborted) {
      this.#dirty = false
      try {
        await this.#report()
        backoff.reset()
      } catch (error) {
        this.#dirty = true
        this.#notTaken(error)
        await sleep(this.#clock, backoff.next(), signal)
      }
    }
    this.#sending = false
  }

  async #report(): Promise<void> {
    const { reportMs } = this.#limits
    const limit = new AbortController()
    const stop = (): void => limit.abort(new Error(`a report was not answered within ${reportMs / 1000} s`))
    const stopTimer = this.#clock.after(reportMs, stop)
    this.#closing.signal.addEventListener('abort', stop)
    try {
      const laterBoot = await this.#reports.send(this.#hooks.report(), limit.signal)
      this.#lastRefusal = ''
      this.#hooks.heard(laterBoot)
    } finally {
      stopTimer()
      this.#closing.signal.removeEventListener('abort', stop)
    }
  }

  /** Logs each reason once, not with every heartbeat. */
  #notTaken(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (this.#closing.signal.aborted || reason === this.#lastRefusal) return
    this.#lastRefusal = reason
    this.#logger.warn({ err: error }, 'the controller did not accept a report; retrying')
  }
}
