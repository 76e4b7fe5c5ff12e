import { useComputed, useSignal, type ReadonlySignal, type Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useCluster } from '../lib/cluster.ts'
import type { PageProps } from '../lib/feature.ts'
import { count, grouped } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import { address, setQuery } from '../lib/router.ts'
import { Fields } from './fields.tsx'
import { LastWords } from './lastWords.tsx'
import { matching } from './logModel.ts'
import { logQuery, logTitle, type LogQuery } from './logQuery.ts'
import './logs.css'
import { RowList } from './rowList.tsx'
import { Toolbar } from './toolbar.tsx'
import { useLog, type Log } from './useLog.ts'

export function LogsPage({ params: { service = '' } }: PageProps): JSX.Element {
  const query = logQuery(service, address.value.query)
  // Another query is another list.
  return <LogView key={JSON.stringify(query)} query={query} />
}

function LogView({ query }: { query: LogQuery }): JSX.Element {
  const { now } = useCluster()
  const log = useLog(query)
  const find = useSignal(address.peek().query.get('find') ?? '')
  useEffect(() => find.subscribe((text) => setQuery({ find: text === '' ? null : text })), [find])
  const today = useComputed(() => new Date(now.value).toISOString().slice(0, 10)).value
  return (
    <PageFrame title={logTitle(query)}>
      <div class="logs">
        <Toolbar query={query} find={find} isFollowing={log.isFollowing} />
        <div class="log-body">
          <FieldsOf log={log} query={query} />
          <div class="log-main">
            {query.instance === null ? <Failures service={query.service} /> : <LastWords instance={query.instance} />}
            <Lines {...{ log, query, find, today }} />
          </div>
        </div>
      </div>
    </PageFrame>
  )
}

/** Counts step with the lines; the list itself is drawn apart from them. */
function FieldsOf({ log: { model, version }, query }: { log: Log; query: LogQuery }): JSX.Element {
  const shown = <Fields query={query} model={model} version={version.value} />
  return (
    <>
      <div class="fields wide">{shown}</div>
      <details class="fields narrow">
        <summary>Machine and instance</summary>
        {shown}
      </details>
    </>
  )
}

/** Instances of the service that fail now: one click to their last lines. */
function Failures({ service }: { service: string }): JSX.Element | null {
  const { overview } = useCluster()
  const failed = overview.value?.wrong.filter((one) => one.service === service && one.instance !== null) ?? []
  if (failed.length === 0) return null
  return (
    <ul class="failures">
      {failed.map(({ instance, text }) => (
        <li key={instance}>
          <span class="tone-bad">{text}</span>{' '}
          <a href={`/logs/${service}?instance=${encodeURIComponent(instance ?? '')}`}>its last lines</a>
        </li>
      ))}
    </ul>
  )
}

interface LinesProps {
  log: Log
  query: LogQuery
  find: Signal<string>
  today: string
}

function Lines({ log, query, find, today }: LinesProps): JSX.Element {
  const { model, isFollowing } = log
  const version = log.version.value
  const rows = useMemo(() => matching(model.rows, find.value), [version, find.value])
  return (
    <div class="log-lines">
      <Above log={log} found={rows.length} isFinding={find.value !== ''} />
      <RowList {...{ rows, version, today, isFollowing }} all={model.rows} service={query.service} find={find.value} />
      <Pill log={log} total={rows.length + model.dropped} />
    </div>
  )
}

/** Why there are no lines, or why there are no others. */
function Above({ log, found, isFinding }: { log: Log; found: number; isFinding: boolean }): JSX.Element | null {
  const { contact } = useCluster()
  const { model } = log
  const { state, reason } = log.state.value
  const total = grouped(model.rows.length)
  if (state === 'refused') return <p class="log-note">{`No lines: ${reason}.`}</p>
  if (contact.value.state !== 'live' && model.rows.length === 0) {
    return <p class="log-note">Lines come when the page is live.</p>
  }
  if (isFinding) return <p class="log-note">{`${grouped(found)} of ${total} lines`}</p>
  if (model.rows.length === 0) {
    return <p class="log-note">{state === 'open' ? 'No line yet.' : 'Reading.'}</p>
  }
  const older = model.dropped === 0 ? '' : `; ${grouped(model.dropped)} older ones are not shown any more`
  return <p class="log-note">{`${total} lines${older}`}</p>
}

/** Says how many lines came since the reader left the end, and goes there. */
function Pill({ log, total }: { log: Log; total: number }): JSX.Element | null {
  const { isFollowing, isHeld, version } = log
  const left = useSignal(total)
  const isOn = isFollowing.value
  useEffect(() => {
    left.value = total
  }, [isOn])
  const fresh = Math.max(0, total - left.value)
  const text = isHeld.value ? 'The list is full: go on with the newest ↓' : `${lines(fresh)} ↓`
  return (
    <>
      <Announced text={isOn || fresh === 0 ? '' : lines(fresh)} version={version} />
      {isOn || (fresh === 0 && !isHeld.value) ? null : (
        <button type="button" class="pill" onClick={() => (isFollowing.value = true)}>
          {text}
        </button>
      )}
    </>
  )
}

const lines = (many: number): string => count(many, 'new line')

/** Tells screen readers of new lines, every 10 s at most. */
function Announced({ text, version }: { text: string; version: ReadonlySignal<number> }): JSX.Element {
  const said = useSignal('')
  void version.value // looks again whenever lines come
  const turn = Math.floor(Date.now() / 10_000)
  useEffect(() => {
    said.value = text
  }, [turn, text === ''])
  return (
    <p class="vh" role="status">
      {said}
    </p>
  )
}
