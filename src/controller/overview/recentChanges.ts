import type { ChangeView } from '../../api/overview.ts'
import { wordingOf } from '../../decider/wordingOf.ts'
import { isMachineCaller, type RecordedEvent } from '../../events/event.ts'
import type { EventLog } from '../../store/eventLog.ts'
import type { Controller } from '../controller.ts'

/** Number of changes that are kept. */
const kept = 20
/** Number of events read at a time while a start looks for changes, and the most that it reads. */
const [page, most] = [500, 5_000]

/** The newest changes, newest first. Follows the log from its first use on. */
export class RecentChanges {
  readonly #controller: Controller
  #changes: ChangeView[] = []
  #reading: Promise<void> | null = null

  constructor(controller: Controller) {
    this.#controller = controller
  }

  get all(): ChangeView[] {
    return this.#changes
  }

  /** Resolves when the changes of the log so far are known. */
  ready(): Promise<void> {
    this.#reading ??= this.#read()
    return this.#reading
  }

  async #read(): Promise<void> {
    const { log, state } = this.#controller
    const stop = this.#controller.onChange((events) => this.#merge(changesIn(events)))
    try {
      this.#merge(await changesBefore(log, state.position))
    } catch (error) {
      // The next reader tries again.
      stop()
      ;[this.#changes, this.#reading] = [[], null]
      throw error
    }
  }

  #merge(found: readonly ChangeView[]): void {
    if (found.length === 0) return
    this.#changes = [...this.#changes, ...found].toSorted((a, b) => b.position - a.position).slice(0, kept)
  }
}

/** The newest changes up to a position of the log, newest first. */
export async function changesBefore(log: EventLog, end: number): Promise<ChangeView[]> {
  const found: ChangeView[] = []
  for (let from = end; from > 0 && from > end - most && found.length < kept; from -= page) {
    const before = await log.read(Math.max(0, from - page), Math.min(page, from))
    found.push(...changesIn(before.filter(({ position }) => position <= from)).toReversed())
  }
  return found.slice(0, kept)
}

const changesIn = (events: readonly RecordedEvent[]): ChangeView[] =>
  events.flatMap((event) => {
    const { position, at, type, by = null } = event
    const { isChange, ...words } = wordingOf(event)
    return isChange ? [{ position, at, type, by: isMachine(by) ? null : by, ...words }] : []
  })

/** Machines report, people ask: only these are worth a name beside a change. */
const isMachine = (by: string | null): boolean => by !== null && isMachineCaller(by)
