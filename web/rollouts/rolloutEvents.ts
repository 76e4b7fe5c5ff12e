import type { EventView } from '../../src/api/views.ts'

interface Search {
  /** A page of events of the rollout, newest first; `next`: older ones are before this position. */
  find: (range: { after: number; before?: number }) => Promise<{ events: EventView[]; next: number | null }>
  /** The log's position at the end of the rollout; `null`: not known. */
  end: () => Promise<number | null>
}

/** Those events of a rollout that are known, and all newer ones, in the order of the log. */
export async function eventsAfter(known: readonly EventView[], { find, end }: Search): Promise<EventView[]> {
  const after = known.at(-1)?.position ?? 0
  const newestFirst: EventView[] = []
  let { events, next } = await find({ after })
  newestFirst.push(...events)
  // An old rollout is far from the end of the log, and a search looks only so far.
  const last = next !== null && events.length === 0 ? await end() : null
  if (next !== null && last !== null) next = Math.min(next, last + 1)
  while (next !== null && !events.some(({ type }) => type === 'RolloutStarted')) {
    ;({ events, next } = await find({ after, before: next }))
    newestFirst.push(...events)
  }
  return [...known, ...newestFirst.toReversed()]
}
