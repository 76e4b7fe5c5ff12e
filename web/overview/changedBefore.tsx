import type { JSX } from 'preact'
import { Sign } from '../lib/sign.tsx'
import { signs } from '../lib/signs.ts'
import { clockTime, shortTime } from '../lib/time.ts'
import { told, type Change } from './told.ts'

/** Number of changes that stand beside the wrong. */
const shownChanges = 5

/** Where a change can be read in full. */
export const placeOf = ({ rollout, position }: Change): string =>
  rollout === null ? `/timeline?at=${position}` : `/rollouts/${rollout}`

/** The newest changes, newest first: the cause of what is wrong mostly stands here. */
export function ChangedBefore({ changes, now }: { changes: Change[]; now: number }): JSX.Element {
  return (
    <section class="changed" aria-labelledby="changed-before">
      <h2 id="changed-before">
        Changed before
        <a class="more" href="/timeline">
          Timeline
        </a>
      </h2>
      {changes.length === 0 && <p class="quiet">Nothing is recorded.</p>}
      <ol>
        {told(changes)
          .slice(0, shownChanges)
          .map((change) => (
            <Row key={change.position} change={change} now={now} />
          ))}
      </ol>
    </section>
  )
}

function Row({ change, now }: { change: Change; now: number }): JSX.Element {
  const { at, sign, subject, text, by } = change
  const isBad = signs[sign].tone === 'bad'
  const isToday = at.slice(0, 10) === new Date(now).toISOString().slice(0, 10)
  return (
    <li>
      <time dateTime={at}>{isToday ? clockTime(at) : shortTime(at, now)}</time>
      <Sign sign={sign} />
      <a href={placeOf(change)} class={isBad ? 'tone-bad' : ''} title={`${subject} ${text}`}>
        {subject} {text} {by !== null && <span class="quiet">{by}</span>}
      </a>
    </li>
  )
}
