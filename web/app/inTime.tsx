import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { ClusterContext, useCluster, type Moment } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'
import { clusterThen, momentOf, type PastOverview } from '../lib/past.ts'
import { address, go, queryWith, setQuery } from '../lib/router.ts'
import { clockTime, span } from '../lib/time.ts'
import { grouped } from '../lib/numbers.ts'
import { pastIn } from './pastAddress.ts'

/** Shows its children as of the moment that the address names, on a page that has a past. */
export function InTime({ children }: { children: ComponentChildren }): JSX.Element {
  const at = pastIn(address.value)
  return at === null ? <>{children}</> : <Past at={at}>{children}</Past>
}

function Past({ at, children }: { at: string; children: ComponentChildren }): JSX.Element {
  const present = useCluster()
  const read = useSignal<{ at: string; overview: PastOverview } | null>(null)
  const problem = useSignal<string | null>(null)
  useEffect(() => {
    document.documentElement.dataset['past'] = ''
    return () => delete document.documentElement.dataset['past']
  }, [])
  useEffect(() => {
    const stop = new AbortController()
    problem.value = null
    present.api.call('pastOverview', { query: { at } }, stop.signal).then(
      (overview) => {
        // A time in the address becomes the position, which stays the same for everybody.
        const position = String(overview.asOf.position)
        read.value = { at: position, overview }
        if (position !== at) setQuery({ at: position })
      },
      (error: unknown) => {
        if (!stop.signal.aborted) problem.value = error instanceof Error ? error.message : String(error)
      },
    )
    return () => stop.abort()
  }, [at])
  const { value } = read
  const cluster = useMemo(() => value && clusterThen(present, value.overview), [present, value])
  return (
    <>
      <PastStrip moment={value && momentOf(value.overview)} />
      {problem.value !== null || cluster === null ? (
        <main id="main" tabIndex={-1} aria-busy={problem.value === null}>
          <h1>{problem.value === null ? 'Reading the past' : `The past could not be read: ${problem.value}`}</h1>
        </main>
      ) : (
        <ClusterContext.Provider key={value?.at} value={cluster}>
          {children}
        </ClusterContext.Provider>
      )}
    </>
  )
}

const now = (): void => go(location.pathname + queryWith({ at: null }), { stay: true })

/** Says which moment the page shows, and leads to the moments beside it and back to now. */
function PastStrip({ moment }: { moment: Moment | null }): JSX.Element {
  const { overview } = useCluster()
  const end = overview.value?.controller.position ?? 0
  return (
    <section class="strip past" aria-label="the past">
      <span role="status">
        <Shape shape="back" /> {moment === null ? <strong>The past</strong> : <When moment={moment} />}
        {moment === null ? null : <Event position={moment.position} />}
      </span>
      <span class="next">
        {moment === null ? null : (
          <>
            <Step to={moment.position - 1} isThere={moment.position > 0} label="‹" />
            <Step to={moment.position + 1} isThere={moment.position < end} label="›" />
          </>
        )}
        <span>Nothing can be changed from here.</span>
        <button type="button" onClick={now}>
          Back to now
        </button>
      </span>
    </section>
  )
}

function When({ moment: { at } }: { moment: Moment }): JSX.Element {
  const present = useCluster()
  if (at === 0) return <strong>The past: before the first event.</strong>
  const day = new Date(at).toISOString().slice(0, 10)
  const isToday = day === new Date(present.now.value).toISOString().slice(0, 10)
  return (
    <strong>
      The past: {isToday ? '' : `${day} `}
      {clockTime(at)} UTC, {span(present.now.value - at)} ago.
    </strong>
  )
}

function Event({ position }: { position: number }): JSX.Element {
  const { api } = useCluster()
  const words = useSignal('')
  useEffect(() => {
    const stop = new AbortController()
    words.value = ''
    const query = { after: Math.max(0, position - 1), before: position + 1, limit: 1 }
    api.call('findEvents', { query }, stop.signal).then(
      ({ events: [event] }) => {
        if (event) words.value = event.words ? `: ${event.words.subject} ${event.words.text}` : `: ${event.type}`
      },
      () => {}, // the position says enough
    )
    return () => stop.abort()
  }, [position])
  return (
    <>
      {' '}
      After <a href={`/timeline?at=${position}`}>event {grouped(position)}</a>
      {words}
    </>
  )
}

function Step({ to, isThere, label }: { to: number; isThere: boolean; label: string }): JSX.Element | null {
  if (!isThere) return null
  return (
    <a class="step" href={location.pathname + queryWith({ at: String(to) })} aria-label={`${label} event ${to}`}>
      {label === '‹' ? '‹ ' : ''}
      {grouped(to)}
      {label === '›' ? ' ›' : ''}
    </a>
  )
}
