import type { JSX } from 'preact'
import type { Check } from '../../src/api/checks.ts'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Shape } from '../lib/glyph.tsx'
import { clockTime, span } from '../lib/time.ts'

interface FindingsProps {
  heading: string
  check: Check | undefined
  command: string
}

/** The result of a checkup, and how old it is. */
export function Findings({ heading, check, command }: FindingsProps): JSX.Element {
  const { now } = useCluster()
  const wrong = check?.findings.filter(({ level }) => level === 'wrong') ?? []
  const unchecked = check?.findings.filter(({ level }) => level === 'unchecked') ?? []
  return (
    <section aria-labelledby="doctor">
      <h2 id="doctor">{heading}</h2>
      <p class="second">
        {check === undefined
          ? 'None has been made since the controller started; it makes them after changes, at least every 5 minutes. '
          : `${check.checked.length} areas, checked at ${clockTime(check.at)}, ${span(now.value - Date.parse(check.at))} ago. `}
        <Command>{command}</Command>
      </p>
      {check !== undefined && wrong.length === 0 ? (
        <p>
          <span class="tone-ok">
            <Shape shape="check" />
          </span>{' '}
          No problem found.
        </p>
      ) : null}
      <ul class="findings">
        {[...wrong, ...unchecked].map(({ area, level, what, next }, index) => (
          <li key={`${index} ${what}`}>
            <span class={level === 'wrong' ? 'tone-warn' : 'tone-quiet'}>
              <Shape shape={level === 'wrong' ? 'triangle' : 'dashed'} /> {area}
            </span>
            <span>
              {what}
              {next === null ? null : <span class="second"> Next: {next}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
