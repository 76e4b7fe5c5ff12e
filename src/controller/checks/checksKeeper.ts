import type { Logger } from 'pino'
import type { Check } from '../../api/checks.ts'
import { wordingOf } from '../../decider/wordingOf.ts'
import type { Checkup } from '../../protocol/checkup.ts'
import type { Controller } from '../controller.ts'

/** The first checkups begin when the machines have had time to report, the others at least every 5 minutes. */
const [firstMs, everyMs] = [30_000, 300_000]
/**
 * A finding made in the middle of a change soon is none, and a change may end one: checkups follow the last change, not
 * more often than each minute.
 */
const [settledMs, leastMs] = [10_000, 60_000]
/** A checkup that takes longer is given up. */
const mostMs = 60_000

interface Parts {
  controller: Controller
  logger: Logger
}

export interface Sources {
  /** The controller's own checkup. */
  own: () => Promise<Checkup>
  ofMachine: (machine: string, signal: AbortSignal) => Promise<Checkup>
}

/** Keeps the newest checkup of the controller and of each machine in memory, one asked after the other. */
export class ChecksKeeper {
  readonly #controller: Controller
  readonly #logger: Logger
  readonly #newest = new Map<string, Check>()
  readonly #over = new AbortController()
  #stopTimer = (): void => {}
  #stopListening = (): void => {}

  constructor({ controller, logger }: Parts) {
    this.#controller = controller
    this.#logger = logger
  }

  start(sources: Sources): void {
    const { clock } = this.#controller
    let latest = clock.monotonic() + firstMs
    let earliest = latest
    let [isRunning, hasChanged] = [false, false]
    const arm = (): void => {
      this.#stopTimer()
      if (this.#over.signal.aborted) return
      const wanted = hasChanged ? Math.max(earliest, clock.monotonic() + settledMs) : latest
      this.#stopTimer = clock.after(Math.max(0, Math.min(wanted, latest) - clock.monotonic()), () => {
        ;[isRunning, hasChanged] = [true, false]
        void this.#round(sources).finally(() => {
          isRunning = false
          latest = clock.monotonic() + everyMs
          earliest = clock.monotonic() + leastMs
          arm()
        })
      })
    }
    this.#stopListening = this.#controller.onChange((events) => {
      if (!events.some((event) => wordingOf(event).isChange)) return
      hasChanged = true
      if (!isRunning) arm()
    })
    arm()
  }

  /** In the order of their names, the controller's first; none of a machine that does not belong to the cluster any more. */
  get all(): Check[] {
    const { machines } = this.#controller.state
    return [...this.#newest.values()]
      .filter(({ machine }) => machine.startsWith('(') || Object.hasOwn(machines, machine))
      .toSorted((a, b) => (a.machine < b.machine ? -1 : 1))
  }

  close(): void {
    this.#over.abort()
    this.#stopTimer()
    this.#stopListening()
  }

  async #round({ own, ofMachine }: Sources): Promise<void> {
    const { machines } = this.#controller.state
    for (const name of this.#newest.keys()) {
      if (!name.startsWith('(') && !Object.hasOwn(machines, name)) this.#newest.delete(name)
    }
    await this.#check('(controller)', own)
    for (const name of Object.keys(machines)) {
      if (this.#over.signal.aborted) return
      // A lost machine keeps its last findings, with their age.
      if (this.#controller.state.machines[name]?.lost === false) {
        await this.#check(name, (signal) => ofMachine(name, signal))
      }
    }
  }

  async #check(name: string, make: (signal: AbortSignal) => Promise<Checkup>): Promise<void> {
    const { clock } = this.#controller
    const late = new AbortController()
    const stop = clock.after(mostMs, () => late.abort())
    try {
      const made = await make(AbortSignal.any([late.signal, this.#over.signal]))
      this.#newest.set(made.machine, { ...made, at: new Date(clock.now()).toISOString() })
    } catch (error) {
      if (!this.#over.signal.aborted) this.#logger.warn({ err: error, machine: name }, 'could not make a checkup')
    } finally {
      stop()
    }
  }
}
