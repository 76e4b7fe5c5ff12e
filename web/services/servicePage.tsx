import type { JSX } from 'preact'
import { useCallback } from 'preact/hooks'
import type { Overview } from '../../src/api/overview.ts'
import type { RolloutView } from '../../src/api/views.ts'
import { Charts } from '../lib/chart/charts.tsx'
import type { Range } from '../lib/chart/range.ts'
import { useSeries } from '../lib/chart/useSeries.ts'
import { useCluster } from '../lib/cluster.ts'
import type { PageProps } from '../lib/feature.ts'
import { Glyph } from '../lib/glyph.tsx'
import { shortRelease } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import { Calls } from './calls.tsx'
import { Config } from './config.tsx'
import { Definition } from './definition.tsx'
import { Events, History, Releases } from './lists.tsx'
import { Instances, Routes } from './instances.tsx'
import { Secrets } from './secrets.tsx'
import { ServiceActions } from './serviceActions.tsx'
import { marksOf, serviceCharts } from './serviceCharts.ts'
import { stateParts, titleOf, type Service } from './serviceWords.ts'
import { useServiceLists } from './useServiceLists.ts'
import './services.css'

/** The controller keeps numbers for this long. */
const shownMs = 15 * 60_000
/** The axis moves in steps, so that it can be read. */
const stepMs = 10_000

/** Everything about one service. */
export function ServicePage({ params }: PageProps): JSX.Element {
  const { overview } = useCluster()
  const name = params['service'] ?? ''
  const service = overview.value?.services.find((one) => one.service === name)
  const version = `${service?.release} ${service?.rollout?.id} ${service?.state} ${overview.value?.changes[0]?.position}`
  const lists = useServiceLists(name, version)
  if (overview.value === null) return <PageFrame title={name} />
  if (service === undefined) return <NoSuchService name={name} overview={overview.value} />
  return (
    <PageFrame title={titleOf(service)} heading={<Heading service={service} />}>
      <div class="service-page">
        <div class="upper">
          <Numbers service={service} history={lists.history} overview={overview.value} />
          <div class="beside">
            <ServiceActions service={service} releases={lists.releases} />
            <Releases releases={lists.releases} service={service} />
          </div>
        </div>
        <div class="lower">
          <Instances service={service} overview={overview.value} />
          <History history={lists.history} service={name} />
          <Events events={lists.events} service={name} />
        </div>
        <div class="lower">
          <Calls service={name} />
          <Secrets service={service} />
          <Config service={name} />
          <Routes service={service} />
          <Definition service={name} release={service.release ?? lists.releases.at(-1)?.release ?? null} />
        </div>
      </div>
    </PageFrame>
  )
}

function NoSuchService({ name, overview }: { name: string; overview: Overview }): JSX.Element {
  const { past } = useCluster()
  const title = past === null ? `There is no service ${name}` : `There was no service ${name} then`
  return (
    <PageFrame title={title}>
      <p>
        Services: {overview.services.length === 0 ? 'none yet; tandem push makes one' : null}
        {overview.services.map(({ service }, index) => (
          <>
            {index === 0 ? '' : ', '}
            <a href={`/services/${service}`}>{service}</a>
          </>
        ))}
      </p>
    </PageFrame>
  )
}

function Heading({ service }: { service: Service }): JSX.Element {
  const { service: name, release, routes } = service
  return (
    <span class="service-title">
      <span>{name}</span>
      {stateParts(service).map(({ state, text }) => (
        <span key={text} class="said">
          <Glyph state={state}>{text}</Glyph>
        </span>
      ))}
      <span class="said second">
        {release === null ? 'no release' : <code>{shortRelease(release)}</code>}
        {routes.length === 0 ? '' : ` · ${routes.join(', ')}`}
      </span>
    </span>
  )
}

function Numbers({
  service,
  history,
  overview,
}: {
  service: Service
  history: readonly RolloutView[]
  overview: Overview
}): JSX.Element {
  const { now, past } = useCluster()
  const series = useSeries(service.service)
  const to = Math.ceil(now.value / stepMs) * stepMs
  const whole = { from: to - shownMs, to }
  const charts = useCallback((range: Range) => serviceCharts(series.value, range), [series.value, to])
  if (past !== null) return <p class="quiet">The numbers of then are not recorded.</p>
  const changes = overview.changes.filter((one) => one.service === service.service)
  return (
    <Charts
      heading="The last 15 minutes"
      whole={whole}
      zero={null}
      marks={marksOf(history, changes, whole)}
      charts={charts}
    />
  )
}
