import type { Operations, Parsed, Result } from '../api/contract.ts'
import { worded, wordingOf } from '../decider/wordingOf.ts'
import type { Wording } from '../decision/words.ts'
import { isMachineCaller, type RecordedEvent } from '../events/event.ts'
import { sleep } from '../lib/clock.ts'
import type { RolloutHistory, RolloutView } from '../projections/rolloutHistory.ts'
import type { LogMatch } from '../store/eventLog.ts'
import { beyondLog } from './beyondLog.ts'
import type { Controller } from './controller.ts'
import { followers } from './followers.ts'

type Query = Parsed<Operations['findEvents']>['query']
type Found = Result<Operations['findEvents']>
type Wanted = Pick<Query, 'service' | 'machine' | 'rollout' | 'type' | 'by' | 'changes' | 'people' | 'failures'>

/** Number of positions that are looked at between two turns of the event loop: a few milliseconds. */
const stride = 5_000
/** Number of positions after which a search without enough results answers, with the place to go on. */
const reach = 250_000

/** Events that are read for each one that is wanted, where the log cannot tell them apart. */
const mostSifted = 10

/** The newest events that match, newest first, and where the search goes on; decisions are made meanwhile. */
export async function findEvents(controller: Controller, query: Query): Promise<Found> {
  const { log, clock, state } = controller
  const { limit, after } = query
  const last = state.position
  if (after > last) throw beyondLog(after, last)
  const start = Math.min(query.before ?? last + 1, last + 1)
  const isWanted = wantedBy(controller, query)
  if (query.follows !== undefined) {
    const all = await followers(log, clock, query.follows)
    const inRange = all.filter((event) => isWanted(event) && event.position > after && event.position < start)
    const events = inRange.slice(0, limit).map(worded)
    return { events, next: inRange.length > limit ? (events.at(-1)?.position ?? null) : null, position: last }
  }
  // Words tell the rest apart, so one reading may let few events through.
  const atOnce = query.changes || query.failures ? Math.min(stride, limit * mostSifted) : limit
  // Consequences are found by an index, all at once.
  const step = query.cause === undefined ? stride : start
  const found: RecordedEvent[] = []
  let before = start
  while (before > after + 1 && found.length < limit && start - before < reach) {
    const from = Math.max(after, before - 1 - step)
    const some = await log.search({ after: from, before }, matchOf(controller, query), atOnce)
    found.push(...some.filter(isWanted).slice(0, limit - found.length))
    const oldest = found.at(-1)
    // `some` may be cut off in the middle of its range.
    before = some.length < atOnce ? from + 1 : (some.at(-1)?.position ?? 0)
    if (found.length === limit && oldest) before = oldest.position
    await sleep(clock, 0)
  }
  return { events: found.map(worded), next: before > after + 1 ? before : null, position: last }
}

/** The part of a query that the log itself can tell apart: it lets a few events too many through. */
function matchOf({ history }: Controller, query: Query): LogMatch {
  const { type, by, cause, service, machine, people } = query
  const rollout = meantRollout(history, query.rollout)
  const named = (name: string): string => `"${name}"`
  const ofService = rollout === undefined ? undefined : history.get(rollout)?.service
  const contains = [
    // A service is named on its own or at the beginning of an instance's id.
    ...(service === undefined ? [] : [[`"${service}`]]),
    ...(machine === undefined ? [] : [[named(machine)]]),
    ...(rollout === undefined ? [] : [[named(rollout), `-${rollout}-`, ...(ofService ? [`"${ofService}`] : [])]]),
  ]
  return {
    ...(type === undefined ? {} : { types: type.split(',') }),
    ...(by === undefined ? {} : { by }),
    ...(people ? { isAsked: true } : {}),
    ...(cause === undefined ? {} : { cause }),
    contains,
  }
}

/** Whether an event is one that is asked for; to a rollout also belongs its service's work while it ran. */
export function wantedBy({ history }: Controller, wanted: Wanted): (event: RecordedEvent) => boolean {
  const { service, machine, by, changes, people, failures } = wanted
  const rollout = meantRollout(history, wanted.rollout)
  const types = wanted.type === undefined ? null : new Set(wanted.type.split(','))
  const hasPlace = service !== undefined || machine !== undefined || rollout !== undefined
  return (event) => {
    if (types?.has(event.type) === false || (by !== undefined && event.by !== by)) return false
    if (people && !isOfPerson(event)) return false
    if (!hasPlace && !changes && !failures) return true
    const places = wordingOf(event)
    return (
      (!changes || places.isChange) &&
      (!failures || failureSigns.has(places.sign)) &&
      (service === undefined || places.service === service) &&
      (machine === undefined || places.machine === machine) &&
      (rollout === undefined || places.rollout === rollout || isInRun(history.get(rollout), places, event))
    )
  }
}

const failureSigns: ReadonlySet<Wording['sign']> = new Set(['failed', 'lost', 'reverted'])

const isOfPerson = ({ by }: RecordedEvent): boolean => typeof by === 'string' && !isMachineCaller(by)

/** The id of the one rollout that begins so; otherwise the text itself, for a rollout that is not in the history any more. */
function meantRollout(history: RolloutHistory, text: string | undefined): string | undefined {
  if (text === undefined || history.get(text)) return text
  const [first, ...more] = history.all().filter(({ id }) => id.startsWith(text))
  return first && more.length === 0 ? first.id : text
}

/** Steps and instances do not name their rollout. */
function isInRun(run: RolloutView | undefined, { service, machine, rollout }: Wording, { at }: RecordedEvent): boolean {
  if (run === undefined || rollout !== null || machine === null || service !== run.service) return false
  return at >= run.startedAt && at <= (run.finishedAt ?? at)
}
