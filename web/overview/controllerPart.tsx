import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { Glyph } from '../lib/glyph.tsx'
import { count } from '../lib/numbers.ts'
import { span } from '../lib/time.ts'

/** The controller itself, and the checkups that it makes. */
export function ControllerPart({ overview, now }: { overview: Overview; now: number }): JSX.Element {
  const { controller, checkups } = overview
  const { version, term, problems } = controller
  return (
    <section aria-labelledby="controller">
      <h2 id="controller">Controller</h2>
      <ul>
        <li>
          <Glyph state={problems.length > 0 ? 'failed' : 'ready'}>
            {version === '' ? 'not started' : `Tandem ${version}`}
          </Glyph>
          <span class="second">{problems.length > 0 ? 'refuses changes' : ''}</span>
          <span class="quiet">term {term}</span>
        </li>
        {checkups.length > 0 && <Checkups checkups={checkups} now={now} />}
      </ul>
    </section>
  )
}

function Checkups({ checkups, now }: { checkups: Overview['checkups']; now: number }): JSX.Element {
  const wrong = checkups.reduce((sum, one) => sum + one.wrong, 0)
  const oldest = checkups.map(({ at }) => at).toSorted()[0] ?? ''
  return (
    <li>
      <Glyph state={wrong > 0 ? 'behind' : 'ready'}>checkups</Glyph>
      <span class="second">
        <a href="/machines">{wrong > 0 ? count(wrong, 'finding') : `${checkups.length} without a finding`}</a>
      </span>
      <span class="quiet">{span(now - Date.parse(oldest))} ago</span>
    </li>
  )
}
