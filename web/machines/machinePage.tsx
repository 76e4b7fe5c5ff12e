import { Fragment, type JSX } from 'preact'
import { useCallback } from 'preact/hooks'
import type { Overview } from '../../src/api/overview.ts'
import { Change } from '../lib/change.tsx'
import { Charts } from '../lib/chart/charts.tsx'
import type { Range } from '../lib/chart/range.ts'
import { useSeries } from '../lib/chart/useSeries.ts'
import { useCluster } from '../lib/cluster.ts'
import type { PageProps } from '../lib/feature.ts'
import { Glyph } from '../lib/glyph.tsx'
import { drain, putBack } from '../lib/machineChanges.ts'
import { shortRelease } from '../lib/numbers.ts'
import { NextSteps } from '../lib/nextSteps.tsx'
import { PageFrame } from '../lib/page.tsx'
import { clockTime, span } from '../lib/time.ts'
import { visible } from '../lib/visible.ts'
import { Findings } from './findings.tsx'
import { Invite } from './invite.tsx'
import { machineCharts } from './machineCharts.ts'
import { loadWords, maintenanceWords, type Machine } from './machineWords.ts'
import './machines.css'
import { useChecks } from './useChecks.ts'

export function MachinePage({ params: { machine: name = '' } }: PageProps): JSX.Element {
  const { overview, past } = useCluster()
  const checks = useChecks()
  const { value } = overview
  const machine = value?.machines.find((one) => one.name === name)
  if (value === null) return <PageFrame title={`Machine ${name}`} />
  if (machine === undefined) {
    const isAbsent = value.absent.includes(name)
    return (
      <PageFrame title={isAbsent ? `Machine ${name} has not joined` : `There is no machine ${name}`}>
        {isAbsent && past === null && <Invite machine={name} />}
        <p>
          <a href="/machines">All machines</a>
        </p>
      </PageFrame>
    )
  }
  const heading = (
    <>
      Machine {name} <Glyph state={machine.state} />
    </>
  )
  const wrong = value.wrong.filter((one) => one.machine === name)
  return (
    <PageFrame title={`Machine ${name} is ${machine.state}`} heading={heading}>
      <div class="machine-page">
        {past === null ? <MachineActions machine={machine} /> : null}
        <div class="machine-about">
          {wrong.length === 0 ? null : (
            <ul class="machine-wrong">
              {wrong.map((problem) => {
                const { tone, word, text, service, instance } = problem
                return (
                  <li key={text}>
                    <span class={`tone-${tone}`}>{word}</span> {visible(text)}
                    {service === null || instance === null ? null : (
                      <>
                        {' · '}
                        <a href={`/logs/${service}?instance=${encodeURIComponent(instance)}`}>last lines</a>
                      </>
                    )}
                    <NextSteps problem={problem} />
                  </li>
                )
              })}
            </ul>
          )}
          <Facts machine={machine} overview={value} />
          {past === null ? <Load machine={name} /> : null}
          <Instances name={name} overview={value} />
          {past === null ? (
            <Findings
              heading="Checkup"
              check={checks.value?.find((one) => one.machine === name)}
              command={`tandem doctor --machine ${name}`}
            />
          ) : null}
        </div>
      </div>
    </PageFrame>
  )
}

function MachineActions({ machine }: { machine: Machine }): JSX.Element {
  const { api } = useCluster()
  return (
    <section class="what" aria-labelledby="what">
      <h2 id="what">Actions</h2>
      <Change {...drain(api, machine)} />
      <Change {...putBack(api, machine)} />
    </section>
  )
}

function Facts({ machine, overview }: { machine: Machine; overview: Overview }): JSX.Element {
  const { now } = useCluster()
  const { name, version, host, lastSeen, limits } = machine
  const facts: [string, string][] = [
    ['load', loadWords(overview, name)],
    ['version', version ?? 'not reported'],
    ['address', host],
    [
      'last report',
      lastSeen === null
        ? 'none since the controller started'
        : `${clockTime(lastSeen)}, ${span(now.value - Date.parse(lastSeen))} ago`,
    ],
    ...(limits === null ? [] : [['limits', limits] as [string, string]]),
    ...overview.notes.filter((note) => note.machine === name).map(({ text }): [string, string] => ['note', text]),
  ]
  const work = maintenanceWords(overview, name)
  if (work !== null) facts.push(['maintenance', work])
  return (
    <dl class="facts">
      {facts.map(([word, fact]) => (
        <Fragment key={`${word} ${fact}`}>
          <dt>{word}</dt>
          <dd>{visible(fact)}</dd>
        </Fragment>
      ))}
    </dl>
  )
}

/** The controller keeps numbers for this long; the axis moves in steps, so that it can be read. */
const [shownMs, stepMs] = [15 * 60_000, 10_000]

function Load({ machine }: { machine: string }): JSX.Element {
  const { now } = useCluster()
  const series = useSeries(null)
  const to = Math.ceil(now.value / stepMs) * stepMs
  const charts = useCallback((range: Range) => machineCharts(series.value, machine, range), [series.value, machine, to])
  return (
    <Charts heading="The last 15 minutes" whole={{ from: to - shownMs, to }} zero={null} marks={[]} charts={charts} />
  )
}

function Instances({ name, overview }: { name: string; overview: Overview }): JSX.Element {
  const all = overview.services.flatMap(({ service, instances }) =>
    instances.filter(({ machine }) => machine === name).map((instance) => ({ service, ...instance })),
  )
  return (
    <section aria-labelledby="instances">
      <h2 id="instances">Instances {all.length}</h2>
      <ul class="machine-list">
        {all.map(({ id, service, state, stale, release, restarts, reason }) => (
          <li key={id}>
            <a href={`/logs/${service}?instance=${encodeURIComponent(id)}`}>{service}</a>
            <Glyph state={stale ? 'lost' : state} />
            <code>{shortRelease(release)}</code>
            <span class="second">{stale ? `was ${state}` : `${overview.work[id] ?? 0} in flight`}</span>
            {restarts === 0 ? null : <span class="second">restarted {restarts} times</span>}
            {reason === null ? null : <span class="second">{visible(reason)}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}
