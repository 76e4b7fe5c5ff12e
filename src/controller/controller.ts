import type { Logger } from 'pino'
import type { Event, RecordedEvent } from '../events/event.ts'
import type { Identity } from '../identity/identityFolder.ts'
import { noOrders, signedOrders } from './signedOrders.ts'
import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { ReleaseCatalogue } from '../projections/releaseCatalogue.ts'
import { RolloutHistory } from '../projections/rolloutHistory.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'
import type { Command } from '../rollout/command.ts'
import { nextDeadline } from '../rollout/deadlines.ts'
import { decide } from '../rollout/decide.ts'
import { desiredState } from '../rollout/desiredState.ts'
import { evolve } from '../rollout/evolve.ts'
import { observe, type Observed } from '../rollout/observed.ts'
import { initialState, type Config, type State } from '../rollout/state.ts'
import type { EventLog } from '../store/eventLog.ts'
import { Upgrades } from './upgrades.ts'
import { ControllerClock } from './controllerClock.ts'
import { refusalError } from './refusalError.ts'

/** Every command without its time; `Controller.execute` adds the time. */
export type Request = Command extends infer C ? (C extends Command ? Omit<C, 'at'> : never) : never

interface Options {
  config: Config
  log: EventLog
  clock: Clock
  logger: Logger
  version: string
  newId: () => string
  /**
   * The controller's certificate and key, where it has any. Machines' privileged helpers accept the orders that it
   * signs.
   */
  identity?: () => Identity | null
}

/**
 * The only decider. It takes commands one at a time, decides each against the state folded from the whole log, appends
 * the events, and notifies its listeners. The rest of the controller is built around it.
 */
export class Controller {
  readonly config: Config
  readonly log: EventLog
  readonly version: string
  readonly history = new RolloutHistory()
  readonly releases = new ReleaseCatalogue()
  readonly upgrades: Upgrades
  #state: State
  #observed: Observed = {}
  #identity: () => Identity | null
  #clock: Clock
  #logger: Logger
  #time: ControllerClock
  #changed = new Set<() => void>()
  #unwritable: OperatorError | null = null
  #isRehearsing = false
  readonly newId: () => string

  constructor({ config, log, clock, logger, version, newId, identity = () => null }: Options) {
    this.config = config
    this.log = log
    this.version = version
    this.newId = newId
    this.#identity = identity
    this.#clock = clock
    this.#logger = logger
    this.#state = initialState(config)
    this.upgrades = new Upgrades(this, (events) => this.#record(events, clock.now()))
    log.subscribe(0, (event) => this.#fold(event))
    this.#time = new ControllerClock(clock, {
      failed: (error) => logger.error({ err: error }, 'deciding on deadlines failed; retrying'),
      deadline: () => Math.min(nextDeadline(this.#state, this.#observed), this.upgrades.deadline()),
      passed: () => {
        this.execute({ type: 'TimePassed' })
        this.upgrades.advance(clock.now())
      },
      restarted: (reason) => this.execute({ type: 'RestartClock', reason }),
    })
  }

  /** Takes the next term and begins to decide. */
  lead(): void {
    this.execute({ type: 'TakeLeadership', id: this.newId(), version: this.version })
    this.#time.start()
  }

  get state(): State {
    return this.#state
  }

  /** Why the last append failed; `null` when it succeeded. */
  get unwritable(): OperatorError | null {
    return this.#unwritable
  }

  get observed(): Observed {
    return this.#observed
  }

  now(): number {
    return this.#clock.now()
  }

  /**
   * Decides a request and appends the events that follow. Throws the refusal. Returns the events, or none when there is
   * nothing to do.
   */
  execute(request: Request, from?: number): RecordedEvent[] {
    const at = this.#clock.now()
    const command = { ...request, at } satisfies Command
    const decision = decide(this.#state, this.#observed, command)
    if (decision.type === 'refused') throw refusalError(decision)
    if (decision.type === 'nothing' || decision.events.length === 0) return []
    return this.#record(decision.events, at, from)
  }

  /**
   * Runs `work` up to its first decision: returns the events that it would record, and records none. Throws the refusal.
   * `work` may do nothing lasting before that decision, and must not wait.
   */
  rehearse(work: () => unknown): Event[] {
    this.#isRehearsing = true
    try {
      work()
      return []
    } catch (error) {
      if (error instanceof Rehearsed) return error.events
      throw error
    } finally {
      this.#isRehearsing = false
    }
  }

  #record(events: Event[], at: number, from?: number): RecordedEvent[] {
    if (this.#isRehearsing) throw new Rehearsed(events)
    const recorded = this.#append(events, at, from)
    for (const event of recorded) {
      this.#logger.info({ event: event.type, position: event.position, ...event.data }, event.type)
    }
    this.#tell()
    return recorded
  }

  /** Takes in a machine's report. Old and duplicate reports change nothing. */
  report(report: Report): void {
    const observed = observe(this.#state, this.#observed, report, this.#clock.now())
    if (!observed) return
    this.#observed = observed
    if (report.refused) return this.#tell()
    this.execute({ type: 'RecordReport', report })
    this.upgrades.advance()
  }

  /** The desired state of a machine, in the form in which its agent receives it. */
  desired(machine: string): DesiredState {
    const { terms, position, config } = this.#state
    const term = terms.at(-1)?.term
    if (term === undefined) throw new Error('no leadership was taken: a bug')
    const desired = {
      ...desiredState(this.#state, machine),
      cluster: config.cluster,
      term,
      terms,
      position,
      program: this.upgrades.desired(machine),
    }
    const identity = this.#identity()
    return { ...desired, orders: identity ? signedOrders(desired, identity) : noOrders }
  }

  /** Calls `listener` after every append, and when a machine refuses this controller. The listener must not throw. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener)
    return () => this.#changed.delete(listener)
  }

  /**
   * Resolves once the state includes `position`. After the limit, rejects with E_NOT_YET where the log holds that
   * position, or with E_BEYOND_LOG where nothing was written there.
   */
  async reached(position: number, limitMs = 5_000): Promise<void> {
    if (this.#state.position >= position) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = this.onChange(() => {
      if (this.#state.position >= position) resolve()
    })
    const late = (): OperatorError => {
      const end = this.log.position()
      return position > end ? beyondLog(position, end) : notYet(position, this.#state.position, limitMs)
    }
    const timer = setTimeout(() => reject(late()), limitMs)
    try {
      await promise
    } finally {
      stop()
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#time.stop()
    this.#changed.clear()
    this.log.close()
  }

  /**
   * The disk may be full or read-only. Then the request is refused, nothing has changed, and the controller continues.
   */
  #append(events: Event[], at: number, from: number | undefined): RecordedEvent[] {
    try {
      const recorded = this.log.append(this.#state.position, events, at, from)
      this.#unwritable = null
      return recorded
    } catch (error) {
      if (!isSqliteError(error)) throw error
      this.#unwritable = unwritable(error)
      throw this.#unwritable
    }
  }

  #fold(event: RecordedEvent): void {
    this.#state = evolve(this.#state, event)
    this.history.fold(event)
    this.releases.fold(event)
    this.upgrades.fold(event)
  }

  #tell(): void {
    for (const listener of this.#changed) listener()
  }
}

/** Ends a rehearsal at the decision. */
class Rehearsed extends Error {
  readonly events: Event[]

  constructor(events: Event[]) {
    super('a rehearsal has ended')
    this.events = events
  }
}

const isSqliteError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'

const unwritable = (error: Error): OperatorError =>
  new OperatorError('E_LOG_UNWRITABLE', `the event log cannot be written: ${error.message}`, {
    subject: 'event log',
    next: "free space on the controller's disk, or make it writable; nothing was changed, and the services keep running",
    cause: error,
  })

function notYet(wanted: number, position: number, limitMs: number): OperatorError {
  const message = `the controller did not reach position ${wanted} in ${limitMs / 1000} s (now at ${position}); the events written there did happen`
  return new OperatorError('E_NOT_YET', message, { subject: 'event log', next: 'read again in a moment' })
}

/** For a reader that wants to continue from a position that the log never reached. */
export const beyondLog = (wanted: number, end: number): OperatorError =>
  new OperatorError('E_BEYOND_LOG', `position ${wanted} is beyond the end of this event log, which is ${end}`, {
    subject: 'event log',
    next: 'read without a position; if the log was restored from a backup: tandem controller recover',
  })
