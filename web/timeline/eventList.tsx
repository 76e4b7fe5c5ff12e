import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { go, queryWith } from '../lib/router.ts'
import { Sign } from '../lib/sign.tsx'
import { signs } from '../lib/signs.ts'
import { clockTime, dayOf } from '../lib/time.ts'
import { grouped } from '../lib/numbers.ts'
import type { TimelineEvent } from './timelineModel.ts'

/** Whoever led to an event, in words. */
export const whoOf = ({ by }: Pick<TimelineEvent, 'by'>): string =>
  by === undefined ? 'Tandem' : (by ?? 'not recorded')

interface EventListProps {
  events: TimelineEvent[]
  /** Position of the opened event. */
  opened: number | null
  now: number
}

/** Events by day, newest first; each is a link that opens it. */
export function EventList({ events, opened, now }: EventListProps): JSX.Element {
  const days = Map.groupBy(events, ({ at }) => at.slice(0, 10))
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // An address leads to its event.
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'center' })
  }, [])
  return (
    <div class="days" ref={list}>
      {[...days].map(([day, ofDay]) => (
        <section key={day} aria-label={dayOf(day, now)}>
          <h2>{dayOf(day, now)}</h2>
          <ol>
            {ofDay.map((event) => (
              <li key={event.position}>
                <EventRow event={event} isOpen={event.position === opened} />
              </li>
            ))}
          </ol>
        </section>
      ))}
    </div>
  )
}

/** `before`: stands in the place of the time. */
export function EventRow({
  event,
  isOpen,
  before,
}: {
  event: TimelineEvent
  isOpen: boolean
  before?: string
}): JSX.Element {
  const { position, at } = event
  return (
    <a
      class={`event ${event.words?.isChange === false ? 'step' : ''}`}
      href={`/timeline${queryWith({ at: String(position) })}`}
      aria-current={isOpen ? 'true' : undefined}
      onClick={(click) => {
        if (click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return
        click.preventDefault()
        go(`/timeline${queryWith({ at: String(position) })}`, { stay: true })
      }}
    >
      <time dateTime={at}>{before ?? clockTime(at)}</time>
      <span class="position">{grouped(position)}</span>
      <Sentence event={event} />
      <span class="who">{whoOf(event)}</span>
    </a>
  )
}

/** An event in words; one that an older controller sends without them, by its type. */
export function Sentence({ event: { type, words } }: { event: TimelineEvent }): JSX.Element {
  if (!words) return <span class="sentence">{type}</span>
  const isBad = signs[words.sign].tone === 'bad' && words.isChange
  return (
    <span class="sentence">
      <Sign sign={words.sign} />
      <span class={isBad ? 'tone-bad' : ''}>
        <b>{words.subject}</b> {words.text}
      </span>
    </span>
  )
}
