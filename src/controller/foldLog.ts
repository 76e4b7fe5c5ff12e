import { isFolded } from '../decider/evolve.ts'
import type { Config } from '../decision/base.ts'
import { writtenByNewer } from '../events/stored.ts'
import type { EventLog } from '../store/eventLog.ts'
import type { Snapshots } from '../store/snapshots.ts'
import { Fold } from './fold.ts'

/** Number of events read at a time. */
const page = 1_000

interface Folded {
  fold: Fold
  /** Position of the snapshot that it began with; 0 without one. */
  since: number
}

/**
 * Folds the whole log: from the newest usable snapshot on, or from its beginning. Tells `progress` how far it has come.
 * Refuses a log that a newer Tandem wrote.
 */
export async function foldLog(
  log: EventLog,
  config: Config,
  snapshots: Snapshots | null = null,
  progress: (done: string) => void = () => {},
): Promise<Folded> {
  const known = await snapshots?.newest(await log.position(), ({ position, text }) => {
    const fold = new Fold(config, text)
    if (fold.state.position !== position) throw new Error(`it is of position ${fold.state.position}`)
    return fold
  })
  const fold = known ?? new Fold(config)
  const since = fold.state.position
  for (let more = true; more;) {
    const events = await log.read(fold.state.position, page)
    for (const event of events) {
      if (!isFolded(event.type)) throw writtenByNewer(event)
      fold.fold(event)
    }
    more = events.length > 0
    progress(`has read its log up to position ${fold.state.position}`)
  }
  return { fold, since }
}
