import type { JSX } from 'preact'
import { Table } from '../table.tsx'
import { clockTime } from '../time.ts'
import type { Chart } from './line.ts'

/** Everything that the charts show, newest first. */
export function ChartTable({ at, charts }: { at: readonly number[]; charts: readonly Chart[] }): JSX.Element {
  const columns = charts.flatMap(({ title, unit, lines, format }) =>
    lines.map((line) => ({ name: `${title}${unit === undefined ? '' : ` (${unit})`}: ${line.name}`, line, format })),
  )
  const known = [...at.entries()].filter(([index]) => columns.some(({ line }) => (line.values[index] ?? null) !== null))
  return (
    <Table label="values of the charts" heads={['UTC', ...columns.map(({ name }) => ({ number: name }))]}>
      {known.toReversed().map(([index, end]) => (
        <tr key={end}>
          <th scope="row">{clockTime(end)}</th>
          {columns.map(({ name, line, format }) => {
            const value = line.values[index] ?? null
            return (
              <td key={name} class="number">
                {value === null ? '–' : format(value)}
              </td>
            )
          })}
        </tr>
      ))}
    </Table>
  )
}
