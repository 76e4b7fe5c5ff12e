import type { ComponentChildren, JSX } from 'preact'

interface TableProps {
  /** Says what the table lists. */
  label: string
  /** The heads of its columns; those of numbers stand at the right. */
  heads: readonly (string | { number: string } | { hidden: string })[]
  class?: string
  /** The rows. */
  children: ComponentChildren
}

/** A table that scrolls in its own room where it is too wide. */
export function Table({ label, heads, class: name = '', children }: TableProps): JSX.Element {
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label={label}>
      <table class={`numbers ${name}`.trim()}>
        <thead>
          <tr>
            {heads.map((head) =>
              typeof head === 'string' ? (
                <th key={head} scope="col">
                  {head}
                </th>
              ) : 'number' in head ? (
                <th key={head.number} scope="col" class="number">
                  {head.number}
                </th>
              ) : (
                <th key={head.hidden} scope="col">
                  <span class="vh">{head.hidden}</span>
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
