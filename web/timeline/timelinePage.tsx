import { useComputed, useSignalEffect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useCluster } from '../lib/cluster.ts'
import { addKeys, type Key } from '../lib/keys.ts'
import { count, grouped } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import { address, go, queryWith } from '../lib/router.ts'
import { EventList } from './eventList.tsx'
import { EventPanel } from './eventPanel.tsx'
import { filterIn, positionIn, queryOf } from './filter.ts'
import { FilterForm } from './filterForm.tsx'
import './timeline.css'
import { Timeline } from './timelineModel.ts'

const dayMs = 86_400_000
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Every event of the cluster, newest first, in plain words. */
export function TimelinePage(): JSX.Element {
  const { api, overview, now } = useCluster()
  const { query } = address.value
  const filter = filterIn(query)
  const position = positionIn(query)
  const asked = JSON.stringify(queryOf(filter))
  const timeline = useMemo(() => {
    const find: ConstructorParameters<typeof Timeline>[0]['find'] = (search, signal) =>
      api.call('findEvents', { query: { ...queryOf(filter), ...search } }, signal)
    return new Timeline({ find, pause, around: position })
  }, [asked])
  useEffect(() => {
    void timeline.start()
    return () => timeline.close()
  }, [timeline])
  useSignalEffect(() => {
    const end = overview.value?.controller.position
    if (end !== undefined && timeline.shown.value !== null) void timeline.heard(end)
  })
  const close = (): void => {
    const row = document.querySelector<HTMLElement>('.days [aria-current]')
    go(`/timeline${queryWith({ at: null })}`, { stay: true })
    // On a narrow screen the list was hidden.
    requestAnimationFrame(() => {
      row?.scrollIntoView({ block: 'nearest' })
      row?.focus({ preventScroll: true })
    })
  }
  useEffect(() => addKeys(keys(close)), [])
  const { value: shown } = timeline.shown
  const today = useComputed(() => Math.floor(now.value / dayMs) * dayMs)
  const total = overview.value?.controller.position
  return (
    <PageFrame
      title="Timeline"
      heading={
        <>
          Timeline{' '}
          <span class="beside">{total === undefined ? null : `${grouped(total)} events, `}newest first, in UTC</span>
        </>
      }
    >
      <FilterForm filter={filter} />
      <div class={`timeline ${position === null ? '' : 'has-opened'}`}>
        <div class="list">
          <Newer timeline={timeline} />
          {shown === null ? null : (
            <>
              {shown.events.length === 0 && shown.next === null ? <p class="second">No event matches.</p> : null}
              <EventList
                key={`${asked} ${timeline.isAtEnd.value}`}
                events={shown.events}
                opened={position}
                now={today.value}
              />
              <Older timeline={timeline} />
            </>
          )}
          {timeline.failure.value === null ? null : <p role="alert">Not read: {timeline.failure.value}.</p>}
        </div>
        {position === null ? null : <EventPanel key={position} position={position} close={close} />}
      </div>
    </PageFrame>
  )
}

/** Newer events wait here, so that nothing moves under the pointer. */
function Newer({ timeline }: { timeline: Timeline }): JSX.Element {
  const { length } = timeline.waiting.value
  const show = (): void => {
    void timeline.showWaiting()
    scrollTo(0, 0)
  }
  return (
    <div class="newer" aria-live="polite">
      {timeline.isAtEnd.value ? (
        length === 0 ? null : (
          <button type="button" onClick={show}>
            {count(length, 'new event')}
          </button>
        )
      ) : (
        <button type="button" onClick={() => void timeline.showNewest()}>
          Newest events
        </button>
      )}
    </div>
  )
}

/** Reads older events when somebody comes near the end of the list. */
function Older({ timeline }: { timeline: Timeline }): JSX.Element | null {
  const end = useRef<HTMLParagraphElement>(null)
  const { value: shown } = timeline.shown
  const next = shown?.next ?? null
  useEffect(() => {
    const { current } = end
    if (!current) return
    const watcher = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void timeline.older()
      },
      { rootMargin: '600px' },
    )
    watcher.observe(current)
    return () => watcher.disconnect()
    // Each page begins to watch again: the end may still be near.
  }, [timeline, next])
  if (next === null) return <p class="quiet">This is the beginning of the log.</p>
  return (
    <p class="quiet" ref={end}>
      {timeline.isReading.value ? `Reading before event ${grouped(next)}.` : ''}{' '}
      <button type="button" class="plain" onClick={() => void timeline.older()}>
        Older events
      </button>
    </p>
  )
}

function keys(close: () => void): Key[] {
  const group = 'Lists and charts'
  return [
    { keys: 'j', does: 'Next event', group, run: () => move(1) },
    { keys: 'k', does: 'Event before', group, run: () => move(-1) },
    {
      keys: '/',
      does: 'Filter',
      group,
      run: () => document.querySelector<HTMLElement>('.timeline-filters select')?.focus(),
    },
    {
      keys: 's',
      does: 'State as of the event',
      group,
      run: () => document.querySelector<HTMLElement>('.as-of a')?.click(),
    },
    { keys: 'Escape', does: 'Close the event', group, run: close },
  ]
}

/** Moves the focus in the list, from the opened event on or from its start; Enter opens. */
function move(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.days a.event')]
  const focused = rows.findIndex((row) => row === document.activeElement)
  const from = focused < 0 ? rows.findIndex((row) => row.hasAttribute('aria-current')) : focused
  const to = from < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, from + by))
  rows[to]?.focus()
}
