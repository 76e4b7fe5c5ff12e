import type { Overview } from '../../src/api/overview.ts'
import type { Cluster } from '../lib/cluster.ts'
import type { PaletteItem } from '../lib/palette.ts'
import { go } from '../lib/router.ts'
import { abortSentence, abortSteps, titleOf } from './rolloutWords.ts'

type Service = Overview['services'][number]
type Rollout = NonNullable<Service['rollout']>
type Kind = 'rollback' | 'restart' | 'stop' | 'start'

/** The rollouts that run, and what can be done with each service. */
export function rolloutItems(cluster: Cluster): PaletteItem[] {
  const services = cluster.overview.value?.services ?? []
  return services.flatMap((service) => [
    ...(service.rollout === null ? [] : [running(service.rollout), abort(cluster, service.rollout)]),
    ...(['rollback', 'restart', 'stop', 'start'] as const).map((kind) => start(cluster, service, kind)),
  ])
}

const running = (rollout: Rollout): PaletteItem => ({
  ...{ group: 'Go to', name: `Rollout ${rollout.id}: ${titleOf(rollout)}`, state: 'running' },
  command: `tandem rollout show ${rollout.id}`,
  path: `/rollouts/${rollout.id}`,
})

function abort({ api }: Cluster, rollout: Rollout): PaletteItem {
  const { id, service, state } = rollout
  const command = `tandem rollout abort ${id}`
  const name = `Abort rollout ${id} of ${service}`
  return {
    ...{ group: 'Do', name, state: 'aborted', command },
    change: {
      ...{ label: 'Abort', title: name, danger: true, command, version: `${id} ${state}` },
      ...{ sentence: abortSentence(rollout), steps: abortSteps(rollout) },
      ask: (signal) => api.rehearse('abortRollout', { params: { id } }, signal),
      run: () => api.call('abortRollout', { params: { id } }),
    },
  }
}

const kinds: Record<Kind, { label: string; state: PaletteItem['state']; sentence: (service: string) => string }> = {
  rollback: {
    ...{ label: 'Roll back', state: 'reverted' },
    sentence: (service) => `Rolls ${service} to the newest other release whose rollout completed. No request is lost.`,
  },
  restart: {
    ...{ label: 'Restart', state: 'running' },
    sentence: (service) => `Replaces each instance of ${service} by a new one of the same release, machine by machine.`,
  },
  stop: {
    ...{ label: 'Stop', state: 'stopped' },
    sentence: (service) => `Finishes the requests of ${service} and stops all its instances. It then answers nobody.`,
  },
  start: { label: 'Start', state: 'running', sentence: (service) => `Starts ${service} in the release that it had.` },
}

function refusalOf({ service, state, rollout }: Service, kind: Kind): string | null {
  if (rollout !== null) return `Not now: rollout ${rollout.id} of ${service} runs. Abort it instead.`
  if (state === 'stopped' && kind === 'stop') return `Nothing to do: ${service} is stopped.`
  if (state === 'stopped' && kind === 'restart') return `Not possible: ${service} is stopped. Start it instead.`
  if (state === 'running' && kind === 'start') return `Nothing to do: ${service} runs.`
  return null
}

function start({ api }: Cluster, of: Service, kind: Kind): PaletteItem {
  const { service } = of
  const { label, state, sentence } = kinds[kind]
  const [command, title] = [`tandem ${kind} ${service}`, `${label} ${service}`]
  const body = { service, kind }
  return {
    ...{ group: 'Do', name: title, state, command, refusal: refusalOf(of, kind) },
    change: {
      ...{ label, title, command, sentence: sentence(service), version: `${service} ${of.state} ${of.release}` },
      ask: (signal) => api.rehearse('startRollout', { body }, signal),
      run: async () => {
        const { rollout } = await api.call('startRollout', { body })
        if (rollout !== null) go(`/rollouts/${rollout.id}`)
      },
    },
  }
}
