import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Overview } from '../../src/api/overview.ts'
import { useCluster } from '../lib/cluster.ts'
import { Glyph } from '../lib/glyph.tsx'
import { isNarrow } from '../lib/narrow.ts'
import { count, wholePercent } from '../lib/numbers.ts'
import { address, setQuery } from '../lib/router.ts'
import { filters, shown, type Filter } from './cells.ts'
import { RowTurns } from './rowTurns.ts'
import { ServiceRow, type Layout } from './serviceRow.tsx'
import { ServicesList } from './servicesList.tsx'

/** Numbers of the past are not recorded. */
const layoutFor = (machines: number, isPast: boolean): Layout =>
  isPast
    ? { columns: ['state'], isDense: machines > 3 }
    : machines <= 2
      ? { columns: ['state', 'age', 'inFlight', 'perSecond', 'errors'], isDense: false }
      : machines === 3
        ? { columns: ['state', 'inFlight', 'perSecond', 'errors'], isDense: false }
        : { columns: ['state', 'perSecond'], isDense: true }

const heads = { state: 'state, release', age: 'age', inFlight: 'in flight', perSecond: 'req/s', errors: 'err %' }

/** Up to so many rows are 28 px high; more are 24. */
const fewRows = 15

/** Services as rows, machines as columns. Rows keep their place, whatever happens: eyes learn positions. */
export function ServicesTable({ overview, now }: { overview: Overview; now: number }): JSX.Element {
  const { past } = useCluster()
  const asked = address.value.query.get('show')
  const filter: Filter = filters.find((one) => one === asked) ?? 'all'
  const services = shown(overview, filter)
  const layout = layoutFor(overview.machines.length, past !== null)
  const turns = useRowTurns(services.length)
  return (
    <section class="services" aria-labelledby="services">
      <header>
        <h2 id="services">
          Services{' '}
          <span class="count">
            {overview.services.length} on {count(overview.machines.length, 'machine')}
          </span>
        </h2>
        <span class="quiet of">{past === null ? 'numbers of the last 60 s' : 'numbers of then are not recorded'}</span>
        <div class="filters" role="group" aria-label="services to show">
          {filters.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === filter}
              onClick={() => setQuery({ show: one === 'all' ? null : one })}
            >
              {one} {shown(overview, one).length}
            </button>
          ))}
        </div>
      </header>
      {isNarrow.value ? (
        <ServicesList overview={overview} services={services} now={now} />
      ) : (
        <div class="scroll">
          <table class={`${layout.isDense ? 'dense' : ''} ${services.length > fewRows ? 'many' : ''}`}>
            <Columns machines={overview.machines.length} layout={layout} />
            <Head overview={overview} layout={layout} />
            <tbody>
              {services.map((service) => (
                <ServiceRow key={service.service} {...{ overview, service, layout, now, turns }} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {overview.services.length === 0 && (
        <p class="quiet">
          No services yet. <code>tandem push DIR</code> creates one.
        </p>
      )}
    </section>
  )
}

function useRowTurns(rows: number): RowTurns | null {
  const [, setDrawings] = useState(0)
  const turns = useMemo(() => new RowTurns(() => setDrawings((drawings) => drawings + 1)), [])
  useEffect(() => () => turns.stop(), [turns])
  turns.rows = rows
  return rows > fewRows ? turns : null
}

/** Gives each machine the same width, whatever its cells hold. */
function Columns({ machines, layout: { columns, isDense } }: { machines: number; layout: Layout }): JSX.Element {
  return (
    <colgroup>
      <col class="name" />
      {isDense && <col />}
      {Array.from({ length: machines }, (_, machine) =>
        columns.map((column) => <col key={`${machine} ${column}`} class={`col-${column}`} />),
      )}
    </colgroup>
  )
}

function Head({ overview, layout }: { overview: Overview; layout: Layout }): JSX.Element {
  const { columns, isDense } = layout
  return (
    <thead>
      <tr>
        <td class="name" />
        {isDense && <th />}
        {overview.machines.map(({ name, state }) => (
          <th key={name} class="machine" scope="colgroup" colSpan={columns.length}>
            <a href={`/machines/${encodeURIComponent(name)}`}>
              <Glyph state={state} bare={state === 'ready'} /> <b>{name}</b>
            </a>{' '}
            <span class="second">{loadOf(overview, name, isDense)}</span>
          </th>
        ))}
      </tr>
      <tr>
        <th class="name" scope="col">
          service
        </th>
        {isDense && <th scope="col">release</th>}
        {overview.machines.flatMap(({ name }) =>
          columns.map((column) => (
            <th key={`${name} ${column}`} scope="col" class={`col-${column}`}>
              {isDense && column === 'state' ? <span class="vh">state</span> : heads[column]}
            </th>
          )),
        )}
      </tr>
    </thead>
  )
}

function loadOf({ load, machines }: Overview, name: string, isDense: boolean): string {
  const seen = load[name]
  if (machines.find((one) => one.name === name)?.state === 'lost') return ''
  if (!seen || seen.cpu === null) return seen?.missing?.startsWith('not reported') ? 'not reported' : ''
  const parts = [
    `cpu ${wholePercent(seen.cpu)}`,
    ...(seen.memory === null || isDense ? [] : [`memory ${wholePercent(seen.memory)}`]),
    ...(seen.disk === null || isDense ? [] : [`disk ${wholePercent(seen.disk)}`]),
  ]
  return parts.join(' · ')
}
