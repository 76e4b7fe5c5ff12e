import type { JSX } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import type { Overview } from '../../src/api/overview.ts'
import { percent, rate, shortRelease } from '../lib/numbers.ts'
import { cellOf, numbered, type Line, type Service } from './cells.ts'
import type { RowTurns } from './rowTurns.ts'
import { errorsClass, State } from './stateOfLine.tsx'

/** The columns of one machine: fewer where there are more machines. */
export interface Layout {
  columns: ('state' | 'age' | 'inFlight' | 'perSecond' | 'errors')[]
  /** The release stands once a row, and a cell only says where it differs. */
  isDense: boolean
}

interface RowProps {
  overview: Overview
  service: Service
  layout: Layout
  now: number
  /** Of a large table; `null`: each row changes at once. */
  turns: RowTurns | null
}

/** A row as it was last drawn, and the parts of the overview that it read. */
interface Drawn {
  props: RowProps
  about: unknown[]
  numbers: unknown[]
}

/**
 * A service on each machine. Read again only where its part of the overview differs: 500 instances change often. Other
 * states show at once; a row in which only numbers differ waits for its turn.
 */
export function ServiceRow(props: RowProps): JSX.Element {
  const next = drawnFrom(props)
  const last = useRef(next)
  const onlyNumbers = isSame(next.about, last.current.about) && !isSame(next.numbers, last.current.numbers)
  if (!onlyNumbers || props.turns === null || props.turns.take()) last.current = next
  const { about, numbers, props: drawn } = last.current
  return useMemo(() => <Cells {...drawn} />, [...about, ...numbers])
}

/** All that `cellOf` reads of an overview for a row. A part that did not change stays the same object. */
function drawnFrom(props: RowProps): Drawn {
  const { overview, service, layout, now } = props
  const { machines, cells, work, rates } = overview
  const showsTime = layout.columns.includes('age') || machines.some(({ state }) => state === 'lost')
  return {
    props,
    about: [service, machines, layout.columns.length, layout.isDense, showsTime ? now : null],
    numbers: [
      ...machines.map(({ name }) => cells[`${service.service} ${name}`]),
      ...service.instances.flatMap(({ id }) => [work[id], rates[id]]),
    ],
  }
}

const isSame = (one: unknown[], other: unknown[]): boolean =>
  one.length === other.length && one.every((part, index) => part === other[index])

function Cells({ overview, service, layout, now }: Omit<RowProps, 'turns'>): JSX.Element {
  return (
    <tr>
      <th class="name" scope="row">
        <a href={`/services/${encodeURIComponent(service.service)}`}>{service.service}</a>
      </th>
      {layout.isDense && (
        <td>
          <code>{service.release === null ? '' : shortRelease(service.release)}</code>
        </td>
      )}
      {overview.machines.map(({ name }) => (
        <Cell key={name} lines={cellOf(overview, service, name, now)} layout={layout} />
      ))}
    </tr>
  )
}

interface CellProps {
  lines: Line[]
  layout: Layout
}

function Cell({ lines, layout }: CellProps): JSX.Element {
  const line = numbered(lines)
  return line === null ? <Said lines={lines} layout={layout} /> : <Numbers line={line} layout={layout} />
}

function Numbers({ line, layout: { columns, isDense } }: { line: Line; layout: Layout }): JSX.Element {
  return (
    <>
      {columns.map((column) => (
        <td key={column} class={`col-${column} ${column === 'errors' ? errorsClass(line) : ''}`}>
          <Value line={line} column={column} isDense={isDense} />
        </td>
      ))}
    </>
  )
}

/** A cell that needs words: several states at once, or a state in which numbers say nothing. */
function Said({ lines, layout: { columns, isDense } }: CellProps): JSX.Element {
  return (
    <td class={`said ${lines.some(({ isBad }) => isBad) ? 'bad' : ''}`} colSpan={columns.length}>
      {lines.map((line) => {
        const words = line.sentence ?? (line.perSecond === null ? null : `${rate(line.perSecond)} req/s`)
        return (
          <div key={`${line.state} ${line.release}`}>
            {/* A release that is behind is another than that of the row. */}
            <State line={line} isDense={isDense && line.state !== 'behind'} />
            {!isDense && words !== null && <span class="sentence">{words}</span>}
            {line.lastLines !== null && (
              <a class="more" href={line.lastLines}>
                last lines
              </a>
            )}
          </div>
        )
      })}
    </td>
  )
}

type Column = Layout['columns'][number]

function Value({ line, column, isDense }: { line: Line; column: Column; isDense: boolean }): JSX.Element {
  const { age, inFlight, perSecond, errors } = line
  switch (column) {
    case 'state':
      return <State line={line} isDense={isDense} />
    case 'age':
      return <span class="quiet">{age}</span>
    case 'inFlight':
      return <span class={inFlight === 0 ? 'quiet' : ''}>{inFlight}</span>
    case 'perSecond':
      return <span class={perSecond === 0 ? 'quiet' : ''}>{perSecond === null ? '' : rate(perSecond)}</span>
    case 'errors':
      return <>{errors === null ? '' : percent(errors)}</>
  }
}
