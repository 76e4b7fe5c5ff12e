import type { JSX } from 'preact'
import { Shape } from '../lib/glyph.tsx'
import { clockTime, localClock } from '../lib/time.ts'
import { visible } from '../lib/visible.ts'
import { patternOf, type Row } from './logModel.ts'
import { shortInstance } from './logQuery.ts'

/** A closed row shows so much of a line; the whole one is shown when it is opened. */
const shownChars = 1_000

/** `13:46:38.411`, after the day if that is not today. */
export function lineTime(at: string, today: string): string {
  const day = at.slice(0, 10)
  return `${day === today ? '' : `${day.slice(5)} `}${at.slice(11, 23)}`
}

/** The text with each place that holds `find` marked. */
function Marked({ text, find }: { text: string; find: string }): JSX.Element {
  if (find === '') return <>{text}</>
  const parts = text.split(new RegExp(`(${patternOf(find).source})`, 'i'))
  return <>{parts.map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part))}</>
}

interface LogRowProps {
  row: Row
  service: string
  find: string
  /** The day by the controller's clock, such as `2026-11-29`. */
  today: string
  isChosen?: boolean
  open: () => void
}

export function LogRow({ row, service, find, today, isChosen = false, open }: LogRowProps): JSX.Element {
  if (row.kind === 'gap') return <Gap gap={row} />
  if (row.kind === 'lost') return <Lost lost={row} />
  return (
    // The keys j, k and Enter do the same.
    <div class={`row from-${row.stream}${isChosen ? ' chosen' : ''}`} role="listitem" onClick={open}>
      <time>{lineTime(row.at, today)}</time>
      <span class="stream">{row.stream === 'out' ? '' : row.stream}</span>
      <span class="machine">{row.machine}</span>
      <span class="instance">{shortInstance(row.instance, service)}</span>
      <span class="text">
        <Marked text={visible(row.text, shownChars)} find={find} />
      </span>
    </div>
  )
}

function Gap({ gap: { machine, at, until, text } }: { gap: Extract<Row, { kind: 'gap' }> }): JSX.Element {
  return (
    <div class="row gap" role="listitem">
      <Shape shape="dashed" />
      <span>
        <strong>Gap.</strong>{' '}
        {until === null
          ? `No lines of ${machine} since ${clockTime(at)}: ${text}. The machine keeps them; they come when it answers.`
          : `${machine} was cut off from ${clockTime(at)} to ${clockTime(until)}. Its lines of that time came late.`}
      </span>
    </div>
  )
}

function Lost({ lost: { machine, at, text } }: { lost: Extract<Row, { kind: 'lost' }> }): JSX.Element {
  const isKept = text.includes('were skipped here')
  return (
    <div class="row lost" role="listitem">
      <Shape shape="triangle" />
      <span>
        <strong>{isKept ? 'Skipped.' : 'Lost.'}</strong> {visible(text)}. On {machine} at {clockTime(at)}.
        {isKept ? ' Download has them.' : ' Nothing keeps them.'}
      </span>
    </div>
  )
}

interface OpenRowProps {
  row: Extract<Row, { kind: 'line' }>
  /** The lines around it, whatever the text that is looked for. */
  around: readonly Row[]
  service: string
  today: string
  close: () => void
}

/** A line with everything that is known of it, and the lines around it. */
export function OpenRow({ row, around, service, today, close }: OpenRowProps): JSX.Element {
  const facts: [string, JSX.Element | string][] = [
    ['time', `${row.at.replace('T', ' ').replace('Z', '')} UTC, ${localClock(row.at)} here`],
    ['instance', <a href={`/logs/${service}?instance=${encodeURIComponent(row.instance)}`}>{row.instance}</a>],
    ['machine', <a href={`/logs/${service}?machine=${encodeURIComponent(row.machine)}`}>{row.machine}</a>],
    ['stream', row.stream],
  ]
  const from = `/logs/${service}?instance=${encodeURIComponent(row.instance)}&since=${row.at}`
  return (
    <section class="open-row" aria-label="the chosen line">
      <header>
        <strong>{around.length > 1 ? 'The lines around it, all of them' : 'The line'}</strong>
        <a href={from}>this instance from here on</a>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </header>
      {around.map((one) =>
        one.seq === row.seq ? (
          <pre key={one.seq} class="whole">
            {visible(row.text, Number.POSITIVE_INFINITY)}
          </pre>
        ) : (
          <div key={one.seq} class="row" role="presentation">
            <time>{lineTime(one.at, today)}</time>
            <span class="stream">{one.kind === 'line' && one.stream !== 'out' ? one.stream : ''}</span>
            <span class="machine">{one.machine}</span>
            <span class="instance">{one.kind === 'gap' ? '' : shortInstance(one.instance, service)}</span>
            <span class="text">{visible(one.text, shownChars)}</span>
          </div>
        ),
      )}
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
