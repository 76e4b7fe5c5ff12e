import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Glyph } from '../lib/glyph.tsx'
import { count, shortRelease } from '../lib/numbers.ts'
import { span } from '../lib/time.ts'

type Rollout = NonNullable<Overview['services'][number]['rollout']>
type Part = Rollout['machines'][number]

/** Rollouts and work on machines that are in progress. */
export function ChangingNow({ overview, now }: { overview: Overview; now: number }): JSX.Element {
  const { past } = useCluster()
  const rollouts = overview.services.flatMap(({ rollout }) => (rollout === null ? [] : [rollout]))
  const draining = overview.machines.filter(({ state }) => state === 'draining')
  const maintenance = overview.maintenance?.state === 'running' ? overview.maintenance : null
  const many = rollouts.length + draining.length + (maintenance === null ? 0 : 1)
  return (
    <section class="changing" aria-labelledby="changing-now">
      <h2 id="changing-now">
        Changing {past === null ? 'now' : 'then'} <span class="count">{many}</span>
      </h2>
      {many === 0 && <p class="quiet">Nothing.</p>}
      {rollouts.map((rollout) => (
        <Running key={rollout.id} rollout={rollout} overview={overview} now={now} />
      ))}
      {maintenance !== null && (
        <p>
          <b>maintenance</b>{' '}
          {maintenance.script === null ? maintenance.kind : `${maintenance.kind} with ${maintenance.script}`}:{' '}
          {maintenance.machines.filter(({ state }) => state === 'done').length} of{' '}
          {count(maintenance.machines.length, 'machine')} done
        </p>
      )}
      {draining.map(({ name }) => (
        <p key={name}>
          <b>machine {name}</b> is taken out of traffic
        </p>
      ))}
    </section>
  )
}

interface RunningProps {
  rollout: Rollout
  overview: Overview
  now: number
}

function Running({ rollout, overview, now }: RunningProps): JSX.Element {
  const { id, service, kind, release, previous, state, startedAt, machines } = rollout
  const by = overview.changes.find((one) => one.rollout === id && one.type === 'RolloutStarted')?.by ?? null
  const isMove = kind === 'deploy' || kind === 'rollback'
  return (
    <article>
      <p>
        <b>{service}</b>{' '}
        {isMove ? (
          <code>
            {previous === null ? '' : `${shortRelease(previous)} → `}
            {shortRelease(release)}
          </code>
        ) : (
          kind
        )}
        {by === null ? '' : `, by ${by}`}, <time dateTime={startedAt}>{span(now - Date.parse(startedAt))}</time> so far
        {state === 'reverting' && <span class="tone-warn"> · goes back</span>}
      </p>
      <ul class="parts">
        {machines.map((part) => (
          <li key={part.machine}>
            <b>{part.machine}</b> <Glyph state={part.state}>{wordOf(part)}</Glyph>{' '}
            <span class="second">{inFlight(part, overview, service)}</span>
          </li>
        ))}
      </ul>
      <p class="second">
        <a href={`/rollouts/${id}`}>Watch</a> · <Command>{`tandem rollout show ${id}`}</Command>
      </p>
    </article>
  )
}

const running = ({ phases }: Part): string | undefined =>
  phases.findLast(({ finishedAt }) => finishedAt === null)?.phase

const wordOf = (part: Part): string => (part.state === 'running' ? (running(part) ?? 'running') : part.state)

function inFlight(part: Part, overview: Overview, service: string): string {
  if (running(part) !== 'drain') return ''
  const old = overview.services
    .find((one) => one.service === service)
    ?.instances.filter((one) => one.machine === part.machine && one.state === 'draining')
  const work = (old ?? []).flatMap(({ id }) => overview.work[id] ?? [])
  return work.length === 0 ? '' : `${work.reduce((sum, one) => sum + one, 0)} in flight`
}
