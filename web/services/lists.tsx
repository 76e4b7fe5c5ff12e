import type { JSX } from 'preact'
import { Table } from '../lib/table.tsx'
import type { EventView, ReleaseView, RolloutView } from '../../src/api/views.ts'
import { useCluster } from '../lib/cluster.ts'
import { Glyph } from '../lib/glyph.tsx'
import { bytes, shortRelease } from '../lib/numbers.ts'
import { Sign } from '../lib/sign.tsx'
import { shortTime, span } from '../lib/time.ts'
import { visible } from '../lib/visible.ts'
import type { Service } from './serviceWords.ts'

/** The outcome of a release: it runs, its rollout completed once, or never did. */
function outcome({ release, completedAt, collected }: ReleaseView, service: Service): JSX.Element {
  if (release === service.release)
    return <Glyph state="ready">{service.state === 'stopped' ? 'newest, stopped' : 'runs'}</Glyph>
  if (collected) return <span class="quiet">collected</span>
  return completedAt === null ? <span class="quiet">never completed</span> : <Glyph state="completed" />
}

/** The published releases: who, commit, when, size. */
export function Releases({ releases, service }: { releases: readonly ReleaseView[]; service: Service }): JSX.Element {
  const { now } = useCluster()
  return (
    <section aria-labelledby="releases">
      <h2 id="releases">
        Releases <span class="count">{releases.length}</span>
      </h2>
      <Table label="releases" heads={['release', 'commit', 'by', { number: 'age' }, { number: 'size' }, 'outcome']}>
        {releases.map((one) => (
          <tr key={one.release}>
            <th scope="row">
              <code>{shortRelease(one.release)}</code>
            </th>
            <td class="commit">
              {one.source === null ? (
                <span class="quiet">not recorded</span>
              ) : (
                `${visible(one.source.subject)}${one.source.dirty ? ' +changes' : ''}`
              )}
            </td>
            <td>{one.by ?? <span class="quiet">not recorded</span>}</td>
            <td class="number">
              <time dateTime={one.publishedAt}>{span(now.value - Date.parse(one.publishedAt))}</time>
            </td>
            <td class="number">{bytes(one.bytes)}</td>
            <td>{outcome(one, service)}</td>
          </tr>
        ))}
      </Table>
    </section>
  )
}

/** The rollouts of a service, newest first. */
export function History({ history, service }: { history: readonly RolloutView[]; service: string }): JSX.Element {
  const { now } = useCluster()
  return (
    <Newest title="Rollouts" all={`/rollouts?service=${service}`}>
      {history.slice(0, 8).map(({ id, kind, release, state, startedAt, finishedAt, reason }) => (
        <li key={id}>
          <time dateTime={startedAt}>{shortTime(startedAt, now.value)}</time>
          <span>
            <a href={`/rollouts/${id}`}>
              {kind} <code>{shortRelease(release)}</code>
            </a>{' '}
            <Glyph state={state} />{' '}
            <span class="second">
              {span((finishedAt === null ? now.value : Date.parse(finishedAt)) - Date.parse(startedAt))}
              {reason === null ? '' : `: ${reason}`}
            </span>
          </span>
        </li>
      ))}
    </Newest>
  )
}

/** The newest changes of a service. */
export function Events({ events, service }: { events: readonly EventView[]; service: string }): JSX.Element {
  const { now } = useCluster()
  return (
    <Newest title="Events" all={`/timeline?service=${service}`}>
      {events.slice(0, 8).map(({ position, at, type, by, words }) => (
        <li key={position}>
          <time dateTime={at}>{shortTime(at, now.value)}</time>
          <span>
            <Sign sign={words?.sign ?? 'note'} />{' '}
            <a href={`/timeline?service=${service}&at=${position}`}>
              {words === undefined ? type : `${words.subject} ${words.text}`}
            </a>{' '}
            {typeof by === 'string' && <span class="quiet">{by}</span>}
          </span>
        </li>
      ))}
    </Newest>
  )
}

/** The newest items of a list, of which another page shows all. */
function Newest({ title, all, children }: { title: string; all: string; children: JSX.Element[] }): JSX.Element {
  const id = title.toLowerCase()
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        {title}{' '}
        <a class="more" href={all}>
          All
        </a>
      </h2>
      <ul class="lines">{children.length === 0 ? <li class="quiet">None yet.</li> : children}</ul>
    </section>
  )
}
