import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import type { RolloutView } from '../../src/api/views.ts'
import { Glyph } from '../lib/glyph.tsx'
import { shortRelease } from '../lib/numbers.ts'
import { span } from '../lib/time.ts'
import { useCluster } from '../lib/cluster.ts'
import { newInstances, type Step } from './history.ts'
import { LastWords, LiveOutput } from './output.tsx'

interface AsideProps {
  rollout: RolloutView
  steps: readonly Step[]
  overview: Overview | null
}

/** The cause of a rollout that went back with the last lines; while one runs, the newest instance's output. */
export function Aside({ rollout, steps, overview }: AsideProps): JSX.Element | null {
  const { service, state, reason, failedInstance } = rollout
  if (reason !== null && state !== 'completed') {
    return (
      <section class="cause" aria-labelledby="cause">
        <div class="notice">
          <h2 id="cause">{sentence(reason)}</h2>
          <p>{consequence(rollout)}</p>
        </div>
        {failedInstance !== null && (
          <>
            <h2>Its last lines</h2>
            <LastWords {...{ service }} instance={failedInstance} />
          </>
        )}
      </section>
    )
  }
  const newest = [...newInstances(steps)].at(-1)
  if (newest === undefined || rollout.finishedAt !== null) return null
  return <NewInstance {...{ service, overview }} instance={newest} />
}

const sentence = (text: string): string => {
  const start = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(start) ? start : `${start}.`
}

function consequence({ state, service, previous, machines }: RolloutView): string {
  const lost = machines.filter((one) => one.state === 'lost' || one.state === 'behind').map(({ machine }) => machine)
  const but = lost.length === 0 ? '' : ` ${lost.join(' and ')} did not follow.`
  if (state === 'reverting')
    return `So ${service} goes back${previous === null ? '' : ` to ${shortRelease(previous)}`}.${but}`
  return previous === null
    ? `So nothing of ${service} runs, as before.${but}`
    : `So ${service} went back: ${shortRelease(previous)} serves, as before.${but}`
}

interface NewInstanceProps {
  service: string
  instance: string
  overview: Overview | null
}

function NewInstance({ service, instance, overview }: NewInstanceProps): JSX.Element {
  const { now } = useCluster()
  const known = overview?.services.find((one) => one.service === service)?.instances.find(({ id }) => id === instance)
  return (
    <section class="output-part" aria-labelledby="new-instance">
      <header>
        <h2 id="new-instance">New instance{known === undefined ? '' : ` on ${known.machine}`}</h2>
        {known !== undefined && (
          <Glyph state={known.state}>
            {known.since === null ? known.state : `${known.state} ${span(now.value - Date.parse(known.since))}`}
          </Glyph>
        )}
      </header>
      <LiveOutput {...{ service, instance }} />
    </section>
  )
}
