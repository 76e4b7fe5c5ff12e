import { useComputed, useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { queryWith } from '../lib/router.ts'
import { span, utcMinute } from '../lib/time.ts'
import { EventRow, Sentence, whoOf } from './eventList.tsx'
import { grouped } from '../lib/numbers.ts'
import type { TimelineEvent } from './timelineModel.ts'

interface Opened {
  event: TimelineEvent
  /** The event that it follows from, if that is recorded. */
  cause: TimelineEvent | null
  /** Everything that followed, oldest first. */
  followed: TimelineEvent[]
  /** More followed than was read. */
  isCut: boolean
  /** The end of the log up to which this is known. */
  asOf: number
}

const lookAgainMs = 3_000
/** Most events that followed which are shown. */
const mostFollowed = 1_000

/** One event with its cause, what followed from it, and its data. */
export function EventPanel({ position, close }: { position: number; close: () => void }): JSX.Element {
  const { api } = useCluster()
  const end = useEnd()
  const opened = useSignal<Opened | 'reading' | { refusal: string }>('reading')
  useEffect(() => {
    const stop = new AbortController()
    const one = async (at: number): Promise<TimelineEvent | null> => {
      const query = { after: at - 1, before: at + 1, limit: 1 }
      return (await api.call('findEvents', { query }, stop.signal)).events[0] ?? null
    }
    const before = opened.peek()
    const known = typeof before === 'object' && 'event' in before ? before : null
    if (known?.isCut) return undefined
    const read = async (): Promise<void> => {
      const query = { follows: position, after: known?.asOf ?? 0, limit: mostFollowed }
      const { events, position: asOf } = await api.call('findEvents', { query }, stop.signal)
      const isCut = (known === null ? 0 : 1 + known.followed.length) + events.length >= mostFollowed
      if (known !== null) {
        opened.value = { ...known, followed: [...known.followed, ...events.toReversed()], isCut, asOf }
        return
      }
      const [event, ...followed] = events.toReversed()
      if (!event) {
        opened.value = { refusal: `The log has no event ${position}.` }
        return
      }
      const cause = typeof event.cause === 'number' ? await one(event.cause) : null
      opened.value = { event, cause, followed, isCut, asOf }
    }
    read().catch((error: unknown) => {
      // The facts that are shown stay.
      if (stop.signal.aborted || known !== null) return
      opened.value = {
        refusal: `The event could not be read: ${error instanceof Error ? error.message : String(error)}.`,
      }
    })
    return () => stop.abort()
  }, [position, end])
  const { value } = opened
  return (
    <aside class="opened" aria-label={`event ${position}`}>
      <header>
        <h2>Event {grouped(position)}</h2>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </header>
      {value === 'reading' ? <p class="quiet">Reading.</p> : null}
      {typeof value === 'object' && 'refusal' in value ? <p>{value.refusal}</p> : null}
      {typeof value === 'object' && 'event' in value && value.event.position === position ? <Facts {...value} /> : null}
    </aside>
  )
}

/** The end of the log, as of every few seconds: more may follow from the event. */
function useEnd(): number {
  const { overview, now } = useCluster()
  const turn = useComputed(() => Math.floor(now.value / lookAgainMs)).value
  return useMemo(() => overview.peek()?.controller.position ?? 0, [overview, turn])
}

function Facts({ event, cause, followed, isCut }: Opened): JSX.Element {
  const { now } = useCluster()
  const { position, at, type, data, words } = event
  return (
    <>
      <p class="said">
        <Sentence event={event} />
      </p>
      <dl>
        <Fact name="type">
          {type} <Only name="type" value={type} />
        </Fact>
        <Fact name="when">
          {at.slice(11, 23)} UTC, {utcMinute(at).slice(0, 10)}, {span(now.value - Date.parse(at))} ago
        </Fact>
        <Fact name="who">
          {whoOf(event)} {typeof event.by === 'string' ? <Only name="by" value={event.by} /> : null}
        </Fact>
        {words?.service == null ? null : (
          <Fact name="service">
            <a href={`/services/${encodeURIComponent(words.service)}`}>{words.service}</a>{' '}
            <Only name="service" value={words.service} />
          </Fact>
        )}
        {words?.machine == null ? null : (
          <Fact name="machine">
            {words.machine} <Only name="machine" value={words.machine} />
          </Fact>
        )}
        {words?.rollout == null ? null : (
          <Fact name="rollout">
            <a href={`/rollouts/${encodeURIComponent(words.rollout)}`}>{words.rollout}</a>{' '}
            <Only name="rollout" value={words.rollout} />
          </Fact>
        )}
        <Fact name="follows from">
          {cause === null ? (
            <span class="second">{event.cause === null ? 'not recorded' : 'no other event'}</span>
          ) : (
            <EventRow event={cause} isOpen={false} />
          )}
        </Fact>
      </dl>
      <Followed since={at} events={followed} isCut={isCut} />
      <div class="as-of">
        <a class="button" href={`/?at=${position}`}>
          State as of
        </a>
        <div>
          <p class="second">Shows the overview and rollouts as they were after event {grouped(position)}.</p>
          <Command>{`tandem status --at ${position}`}</Command>
        </div>
      </div>
      <h3>Data</h3>
      <pre class="data" tabIndex={0}>
        {JSON.stringify(data, null, 2)}
      </pre>
      <p>
        <Command>{`tandem events --from ${position}`}</Command>
      </p>
    </>
  )
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }): JSX.Element => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

/** Filters the list by a fact of the event. */
const Only = ({ name, value }: { name: string; value: string }): JSX.Element => (
  <a class="only" href={`/timeline${queryWith({ [name]: value })}`} aria-label={`only these: ${name} ${value}`}>
    only these
  </a>
)

/** The changes that followed; the steps on the way only if somebody wants them. */
function Followed({ since, events, isCut }: { since: string; events: TimelineEvent[]; isCut: boolean }): JSX.Element {
  const all = useSignal(false)
  const changes = events.filter(({ words }) => words?.isChange !== false)
  const steps = events.length - changes.length
  const shown = all.value ? events : changes
  return (
    <section aria-label="followed">
      <h3>What followed {events.length > 0 ? <span class="count">{events.length}</span> : null}</h3>
      {events.length === 0 ? <p class="second">Nothing, so far.</p> : null}
      <ol>
        {shown.map((event) => (
          <li key={event.position}>
            <EventRow event={event} isOpen={false} before={`+${span(Date.parse(event.at) - Date.parse(since))}`} />
          </li>
        ))}
      </ol>
      {isCut ? <p class="second">More followed; only the first are shown.</p> : null}
      {steps === 0 ? null : (
        <button type="button" class="plain" aria-expanded={all.value} onClick={() => (all.value = !all.value)}>
          {all.value ? 'only changes' : `with the ${steps} steps on the way`}
        </button>
      )}
    </section>
  )
}
