import type { RecordedEvent } from '../events/event.ts'
import { sleep, type Clock } from '../lib/clock.ts'
import type { EventLog } from '../store/eventLog.ts'

/** The most events that are followed: a rollout over ten machines makes a few hundred. */
const most = 1_000

/** The event at `position` and those that follow from it, directly or through others; newest first. */
export async function followers(log: EventLog, clock: Clock, position: number): Promise<RecordedEvent[]> {
  const [first] = await log.read(position - 1, 1)
  // A recovery leaves a gap.
  if (first?.position !== position) return []
  const found = [first]
  const end = (await log.position()) + 1
  // An event is later than its cause, so no event is found twice.
  for (const { position: cause } of found) {
    if (found.length >= most) break
    found.push(...(await log.search({ after: cause, before: end }, { cause }, most - found.length)))
    await sleep(clock, 0)
  }
  return found.toSorted((a, b) => b.position - a.position)
}
