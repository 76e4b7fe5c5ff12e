import type { Logger } from 'pino'
import { ZodError } from 'zod'
import type { Event, NewEvent, RecordedEvent } from '../events/event.ts'
import type { Identity } from '../identity/identityFolder.ts'
import { beyondLog } from './beyondLog.ts'
import { ServiceOrders } from './services/orders.ts'
import { ordersFor } from './signedOrders.ts'
import { signWith, type Sign } from './signing.ts'
import type { Clock } from '../lib/clock.ts'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { ReleaseCatalogue } from '../projections/releaseCatalogue.ts'
import type { RolloutHistory } from '../projections/rolloutHistory.ts'
import type { DesiredState, TermRecord } from '../protocol/desiredState.ts'
import { BaseMismatch } from '../lib/following.ts'
import type { Report } from '../protocol/report.ts'
import { readReportChange, type ReportChange } from '../protocol/reportChange.ts'
import type { Command } from '../decider/rooms.ts'
import { withOrigins } from '../decider/chains.ts'
import { decide, nextDeadline, type Known } from '../decider/decide.ts'
import { desiredState } from '../decider/desiredState.ts'
import type { World } from '../decider/rooms.ts'
import type { Config } from '../decision/base.ts'
import { laterBoot, observe, type Observed } from '../decision/observed.ts'
import type { ControllerSelf } from '../decision/moment.ts'
import type { EventLog } from '../store/eventLog.ts'
import { ControllerClock } from './controllerClock.ts'
import type { Fold } from './fold.ts'
import { refusalError } from './refusalError.ts'

/** Every command without its time; the controller adds the time when it decides. */
export type Request = Command extends infer C ? (C extends Command ? Omit<C, 'at'> : never) : never

/** A moment in which nobody else decides. */
export interface Exclusive {
  /**
   * Decides a request, appends the events that follow, and folds them. Rejects with the refusal. Resolves with the
   * events, or with none when there is nothing to do. `by`: the name of the caller.
   */
  execute(request: Request, by?: string): Promise<RecordedEvent[]>
}

/** Called after every append with its events, and without events when a machine refuses this controller. */
type Listener = (events: readonly RecordedEvent[]) => void

interface Options {
  config: Config
  log: EventLog
  /** The fold of the whole log (`foldLog`). */
  fold: Fold
  clock: Clock
  logger: Logger
  version: string
  newId: () => string
  /**
   * The controller's certificate and key, where it has any. Machines' privileged helpers accept the orders that it
   * signs.
   */
  identity?: () => Identity | null
  /** The id under which a log that was restored from a backup is to be recovered; `null`: it was not restored. */
  restored?: string | null
}

/**
 * The only decider. Commands, reports and the passing of time wait in one queue. Each is decided against the state
 * after all earlier ones; its events are appended, then folded, then passed to the listeners, before the next one is
 * decided. An append that fails changes nothing. The rest of the controller is built around it.
 */
export class Controller {
  readonly config: Config
  readonly log: EventLog
  readonly version: string
  readonly clock: Clock
  readonly fold: Fold
  #observed: Observed = {}
  #identity: () => Identity | null
  readonly #serviceOrders = new ServiceOrders()
  #logger: Logger
  #time: ControllerClock
  #changed = new Set<Listener>()
  #decided = new Set<() => void>()
  #program: () => ControllerSelf['program'] = () => null
  #restored: string | null
  #unwritable: OperatorError | null = null
  #queue = new KeyedQueue()
  #isClosed = false
  readonly newId: () => string

  /** Decides nothing before `lead`. */
  constructor({ config, log, fold, clock, logger, version, newId, identity = () => null, restored = null }: Options) {
    this.config = config
    this.log = log
    this.version = version
    this.newId = newId
    this.#identity = identity
    this.#restored = restored
    this.clock = clock
    this.#logger = logger
    this.fold = fold
    this.#time = new ControllerClock(clock, {
      failed: (error) => logger.error({ err: error }, 'deciding on deadlines failed; retrying'),
      deadline: () => (this.awaitsMachines ? Infinity : nextDeadline(this.state, this.#known())),
      passed: (now) => this.#timePassed(now),
      restarted: async (reason) => void (await this.execute({ type: 'RestartClock', reason })),
    })
  }

  /** Takes the next term and begins to decide. */
  async lead(): Promise<void> {
    await this.execute({ type: 'TakeLeadership', id: this.newId(), version: this.version })
    this.#time.start()
  }

  get state(): World {
    return this.fold.state
  }

  get history(): RolloutHistory {
    return this.fold.history
  }

  get releases(): ReleaseCatalogue {
    return this.fold.releases
  }

  /** The log was restored from a backup, and is not recovered yet. */
  get restored(): string | null {
    const { terms } = this.state
    return terms.some(({ id }) => id === this.#restored) ? null : this.#restored
  }

  /** Until it has adopted what the machines run, a restored controller changes nothing on them. */
  get awaitsMachines(): boolean {
    return this.restored !== null && Object.keys(this.state.machines).length > 0
  }

  /** Why the last append failed; `null` when it succeeded. */
  get unwritable(): OperatorError | null {
    return this.#unwritable
  }

  get observed(): Observed {
    return this.#observed
  }

  now(): number {
    return this.clock.now()
  }

  /**
   * Runs `work` when everything before it in the queue has been decided; nothing else is decided until it ends. So
   * everything that it reads still holds when it decides. `work` must not call `exclusively` again.
   */
  exclusively<T>(work: (alone: Exclusive) => Promise<T>): Promise<T> {
    return this.#queue.run('decide', () => {
      if (this.#isClosed) throw new Error('the controller was closed')
      return work({ execute: (request, by) => this.#execute(request, { by }) })
    })
  }

  /**
   * Decides one request; a function makes the request when nobody else decides, and may refuse it. Rejects with
   * the refusal. Resolves with the events, or with none when there is nothing to do. `by`: the name of the caller.
   */
  execute(request: Request | (() => Request), by?: string): Promise<RecordedEvent[]> {
    return this.exclusively((alone) => alone.execute(typeof request === 'function' ? request() : request, by))
  }

  /** Decides a request as `execute` does, and returns the events that it would record. Records none. */
  rehearse(request: () => Request): Promise<Event[]> {
    return this.exclusively(async () => this.#decide(request(), this.clock.now()).events)
  }

  #decide(request: Request, at: number): { events: Event[]; from?: number; direct: number } {
    const decision = decide(this.state, this.#known(), { ...request, at } satisfies Command)
    if (decision.type === 'refused') throw refusalError(decision)
    return decision.type === 'nothing' ? { events: [], direct: 0 } : decision
  }

  async #execute(
    request: Request,
    { by, at = this.clock.now() }: { by?: string | undefined; at?: number },
  ): Promise<RecordedEvent[]> {
    const { events, from = this.state.position + 1, direct } = this.#decide(request, at)
    const isRequest = request.type !== 'RecordReport'
    const known = withOrigins(this.fold.chains, events, { first: from, direct, by: by ?? null, isRequest })
    const recorded = await this.#record(known, at, from)
    for (const listener of this.#decided) listener()
    return recorded
  }

  async #record(events: NewEvent[], at: number, from: number): Promise<RecordedEvent[]> {
    if (events.length === 0) return []
    const recorded = await this.#append(events, at, from)
    for (const event of recorded) {
      this.fold.fold(event)
      this.#logger.info({ event: event.type, position: event.position, ...event.data }, event.type)
    }
    this.#tell(recorded)
    return recorded
  }

  /** Takes in a machine's report. Old and duplicate reports change nothing. Returns `laterBoot`. */
  async report(report: Report): Promise<number | null> {
    const arrived = this.clock.now()
    return this.exclusively(async (alone) => {
      const observed = observe(this.state, this.#observed, report, arrived)
      if (!observed) return laterBoot(this.state, this.#observed, report)
      this.#observed = observed
      if (report.refused || this.awaitsMachines) this.#tell([])
      else await alone.execute({ type: 'RecordReport', report }, `machine ${report.machine}`)
      return null
    })
  }

  /** Takes in a report as a change. False: it does not fit the newest report, and the whole one is needed. */
  async reportChange(change: ReportChange): Promise<boolean> {
    let report: Report
    try {
      report = readReportChange(this.#observed[change.machine]?.report, change)
    } catch (error) {
      if (error instanceof BaseMismatch || error instanceof ZodError) return false
      throw error
    }
    return (await this.report(report)) === null
  }

  /** `now` was checked against the monotonic clock. Reports may have arrived since then, and wait behind this. */
  async #timePassed(now: number): Promise<void> {
    await this.exclusively(() => this.#execute({ type: 'TimePassed' }, { at: now }))
  }

  /** Says which program the controller itself runs; without this, an upgrade cannot change it. */
  reportProgram(program: () => ControllerSelf['program']): void {
    this.#program = program
  }

  #known(): Known {
    return {
      observed: this.#observed,
      self: { version: this.version, program: this.#program(), awaitsMachines: this.awaitsMachines },
    }
  }

  /** The desired state of a machine, in the form in which its agent receives it; `terms` as in `termsFor`. */
  desired(machine: string, isFirst = false): DesiredState {
    const { terms, position, config } = this.state
    const last = terms.at(-1)
    if (last === undefined) throw new Error('no leadership was taken: a bug')
    const desired = {
      ...desiredState(this.state, machine),
      cluster: config.cluster,
      term: last.term,
      terms: isFirst ? terms : this.#termsFor(machine, last),
      position,
    }
    const identity = this.#identity()
    const serviceOrders = this.#serviceOrders.of(desired, identity)
    return { ...desired, orders: ordersFor(desired, identity), serviceOrders }
  }

  /** Signs orders for a machine's privileged helper, as of now; `null`: this controller has no certificate. */
  signFor(machine: string): Sign | null {
    const { terms, position } = this.state
    const identity = this.#identity()
    return identity && signWith(identity, { machine, term: terms.at(-1)?.term ?? 0, position })
  }

  /**
   * The leaderships that a machine needs to recognize its own history. A machine that has obeyed the current one needs
   * only that; before, it gets all that are kept, because it may have slept through any number of them. A thousand
   * records have 69 kB, which every change would send to every machine.
   */
  #termsFor(machine: string, last: TermRecord): TermRecord[] {
    const seen = this.#observed[machine]?.report.seen
    return seen?.term === last.term && seen.termId === last.id ? [last] : this.state.terms
  }

  /** Calls `listener` after every append, and when a machine refuses this controller. The listener must not throw. */
  onChange(listener: Listener): () => void {
    this.#changed.add(listener)
    return () => this.#changed.delete(listener)
  }

  /** Calls `listener` after every decision, also one from which nothing followed. The listener must not throw. */
  onDecision(listener: () => void): () => void {
    this.#decided.add(listener)
    return () => this.#decided.delete(listener)
  }

  /**
   * Resolves once the state includes `position`. After the limit, rejects with E_NOT_YET where the log holds that
   * position, or with E_BEYOND_LOG where nothing was written there.
   */
  async reached(position: number, limitMs = 5_000): Promise<void> {
    if (this.state.position >= position) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = this.onChange(() => {
      if (this.state.position >= position) resolve()
    })
    const late = async (): Promise<void> => {
      const end = await this.log.position()
      throw position > end ? beyondLog(position, end) : notYet(position, this.state.position, limitMs)
    }
    const stopTimer = this.clock.after(limitMs, () => void late().catch(reject))
    try {
      await promise
    } finally {
      stop()
      stopTimer()
    }
  }

  /** Decides what is in the queue, and nothing more; then closes the log. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.#queue.run('decide', async () => {
      this.#isClosed = true
      this.#time.stop()
      this.#changed.clear()
      this.#decided.clear()
    })
    await this.log.close()
  }

  /**
   * The disk may be full or read-only. Then the request is refused, nothing has changed, and the controller continues.
   */
  async #append(events: NewEvent[], at: number, from: number): Promise<RecordedEvent[]> {
    try {
      const recorded = await this.log.append(this.state.position, events, at, from)
      this.#unwritable = null
      return recorded
    } catch (error) {
      if (error instanceof OperatorError && error.code === 'E_LOG_UNWRITABLE') this.#unwritable = error
      throw error
    }
  }

  #tell(events: readonly RecordedEvent[]): void {
    for (const listener of this.#changed) listener(events)
  }
}

function notYet(wanted: number, position: number, limitMs: number): OperatorError {
  const message = `the controller did not reach position ${wanted} in ${limitMs / 1000} s (now at ${position}); the events written there did happen`
  return new OperatorError('E_NOT_YET', message, { subject: 'event log', next: 'read again in a moment' })
}
