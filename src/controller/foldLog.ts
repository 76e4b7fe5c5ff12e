import { isFolded } from '../decider/evolve.ts'
import type { Config } from '../decision/base.ts'
import { writtenByNewer } from '../events/stored.ts'
import type { EventLog } from '../store/eventLog.ts'
import type { Snapshots } from '../store/snapshots.ts'
import { Fold } from './fold.ts'

/** Number of events read at a time when nothing else is to be done. */
const largePage = 1_000

interface Folded {
  fold: Fold
  /** Position of the snapshot that it began with; 0 without one. */
  since: number
}

interface Sources {
  log: EventLog
  config: Config
  snapshots: Snapshots | null
}

/**
 * Folds the whole log: from the newest usable snapshot on, or from its beginning. Tells `progress` how far it has come.
 * Refuses a log that a newer Tandem wrote.
 */
export function foldLog(
  log: EventLog,
  config: Config,
  snapshots: Snapshots | null = null,
  progress: (done: string) => void = () => {},
): Promise<Folded> {
  return foldTo(Number.MAX_SAFE_INTEGER, { log, config, snapshots }, (position) =>
    progress(`has read its log up to position ${position}`),
  )
}

/** Folds the log up to `end`, or to its own end. Waits for `step` after each page of events. */
export async function foldTo(
  end: number,
  { log, config, snapshots }: Sources,
  step: (position: number) => unknown,
  page = largePage,
): Promise<Folded> {
  const known = await snapshots?.newest(Math.min(end, await log.position()), ({ position, text }) => {
    const fold = new Fold(config, text)
    if (fold.state.position !== position) throw new Error(`it is of position ${fold.state.position}`)
    return fold
  })
  const fold = known ?? new Fold(config)
  const since = fold.state.position
  for (let more = since < end; more;) {
    const events = await log.read(fold.state.position, page)
    const due = events.filter(({ position }) => position <= end)
    for (const event of due) {
      if (!isFolded(event.type)) throw writtenByNewer(event)
      fold.fold(event)
    }
    more = due.length === page && fold.state.position < end
    await step(fold.state.position)
  }
  return { fold, since }
}
