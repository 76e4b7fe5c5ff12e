import type { Logger } from 'pino'
import type { Config } from '../../decision/base.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { KeyedQueue } from '../../lib/keyedQueue.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { EventLog } from '../../store/eventLog.ts'
import type { Snapshots } from '../../store/snapshots.ts'
import { beyondLog } from '../beyondLog.ts'
import type { Controller } from '../controller.ts'
import type { Fold } from '../fold.ts'
import { foldTo } from '../foldLog.ts'
import { SnapshotFiller } from './snapshotFiller.ts'

/** The fold after an earlier event. */
export interface PastState {
  position: number
  /** When that event happened; `null`: before the first one. */
  at: string | null
  fold: Fold
  /** Version of the Tandem that decided then; `null`: nobody had decided yet. */
  version: string | null
}

interface Options {
  log: EventLog
  config: Config
  snapshots: Snapshots | null
  clock: Clock
}

/** Number of events folded between two turns of the event loop: a few milliseconds. */
const page = 200

/** Number of positions whose fold may wait: each takes up to a second. */
const mostFolds = 20

interface Folding {
  /** Whether they are gone, who wait for it. */
  callers: (() => boolean)[]
  state: Promise<PastState>
}

/** Number of states remembered: a page that looks at one of them asks for several views of it. */
const kept = 4

/**
 * The past of the cluster: folds the event log up to a position, from the nearest snapshot on. Decisions are made
 * meanwhile.
 */
export class Past {
  #options: Options
  /** By position. A state has several megabytes: it goes when memory is needed. */
  #states = new Map<number, WeakRef<PastState>>()
  #folding = new Map<number, Folding>()
  /** One fold at a time, whoever asks for how many. */
  #queue = new KeyedQueue()

  constructor(options: Options) {
    this.#options = options
  }

  /**
   * `at`: a position, or a time in ISO 8601. Rejects with E_BEYOND_LOG, with E_USAGE for a time that is none, and with
   * E_PAST_BUSY while too many others wait. Stops once nobody waits any more: `isGone` tells it of this caller.
   */
  async state(at: string, isGone: () => boolean = () => false): Promise<PastState> {
    const position = /^\d+$/.test(at) ? await this.#known(Number(at)) : await this.#positionAt(at)
    const known = this.#states.get(position)?.deref()
    if (known) return known
    const folding = this.#folding.get(position) ?? this.#begun(position)
    folding.callers.push(isGone)
    return folding.state
  }

  #begun(position: number): Folding {
    if (this.#folding.size >= mostFolds) throw busy(position)
    const callers: (() => boolean)[] = []
    const goOn = (): void => {
      if (!callers.every((isGone) => isGone())) return
      // At once: who asks now begins another fold.
      this.#folding.delete(position)
      throw busy(position)
    }
    const state = this.#queue
      .run('fold', () => this.#fold(position, goOn))
      .then((folded) => this.#remembered(folded))
      .finally(() => {
        if (this.#folding.get(position) === folding) this.#folding.delete(position)
      })
    const folding = { callers, state }
    this.#folding.set(position, folding)
    return folding
  }

  #remembered(state: PastState): PastState {
    this.#states.delete(state.position)
    this.#states.set(state.position, new WeakRef(state))
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= kept) break
      this.#states.delete(oldest)
    }
    return state
  }

  async #known(position: number): Promise<number> {
    const end = await this.#options.log.position()
    if (position > end) throw beyondLog(position, end)
    return position
  }

  /** Position of the last event up to a time. Where the clock was set back, one of several. */
  async #positionAt(text: string): Promise<number> {
    const { log } = this.#options
    const time = new Date(text)
    if (Number.isNaN(time.getTime())) {
      const next = 'give a time such as 2026-11-21T02:00:00Z, or a position of the event log'
      throw new OperatorError('E_USAGE', `${text} is not a time`, { subject: 'at', next })
    }
    const limit = time.toISOString()
    let [before, after] = [0, (await log.position()) + 1]
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      const [event] = await log.read(middle - 1, 1)
      // A recovery leaves a gap: the next event is after it.
      if (event && event.position < after && event.at <= limit) before = event.position
      else after = middle
    }
    return before
  }

  async #fold(position: number, goOn: () => void): Promise<PastState> {
    const { log, config, snapshots, clock } = this.#options
    goOn()
    const step = async (): Promise<void> => {
      await sleep(clock, 0)
      goOn()
    }
    const { fold } = await foldTo(position, { log, config, snapshots }, step, page)
    const { state } = fold
    const [last] = state.position === 0 ? [] : await log.read(state.position - 1, 1)
    const leadership = state.terms.at(-1)
    const [taken] = leadership ? await log.read(leadership.start - 1, 1) : []
    const isLeadership = taken?.type === 'LeadershipTaken' || taken?.type === 'LogRecovered'
    const version = isLeadership ? taken.data.version : null
    return { position, at: last?.at ?? null, fold, version }
  }
}

const busy = (position: number): OperatorError =>
  new OperatorError('E_PAST_BUSY', `${mostFolds} other states of the past are being computed`, {
    ...{ subject: String(position), next: 'try again in a few seconds' },
  })

interface Parts {
  controller: Controller
  snapshots: Snapshots | null
  logger: Logger
}

/** The past as calls read it; it makes the snapshots that it lacks. */
export function pastOf({ controller, snapshots, logger }: Parts) {
  const { log, config, clock } = controller
  const past = new Past({ log, config, snapshots, clock })
  const filler = snapshots && new SnapshotFiller({ controller, snapshots, logger })
  return {
    state: (at: string, isGone: () => boolean) => past.state(at, isGone),
    start: () => filler?.start(),
    close: () => filler?.close(),
  }
}
