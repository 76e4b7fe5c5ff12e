import type { Overview } from '../../src/api/overview.ts'
import type { Cluster } from '../lib/cluster.ts'
import type { PaletteItem } from '../lib/palette.ts'
import { signs } from '../lib/signs.ts'

type Machine = Overview['machines'][number]
type Change = Overview['changes'][number]

/** Services, machines and what can be done with them, and the newest changes. */
export function clusterItems(cluster: Cluster): PaletteItem[] {
  const { value } = cluster.overview
  if (value === null) return []
  return [
    ...value.services.map(({ service }): PaletteItem => ({
      ...{ group: 'Go to', name: `Service ${service}`, command: `tandem status ${service}` },
      path: `/services/${encodeURIComponent(service)}`,
    })),
    ...value.machines.map(({ name, state }): PaletteItem => ({
      ...{ group: 'Go to', name: `Machine ${name}`, state, command: 'tandem machines' },
      path: `/machines/${encodeURIComponent(name)}`,
    })),
    ...value.machines.flatMap((machine) => [drain(cluster, machine), ready(cluster, machine)]),
    ...value.changes.map(changed),
  ]
}

function drain({ api }: Cluster, { name, state }: Machine): PaletteItem {
  const command = `tandem machine drain ${name}`
  const refusal = state === 'drained' || state === 'draining' ? `Nothing to do: machine ${name} is ${state}.` : null
  return {
    ...{ group: 'Do', name: `Drain machine ${name}`, state: 'drained', command, refusal },
    change: {
      ...{ label: 'Drain', title: `Drain machine ${name}`, command, version: `${name} ${state}` },
      sentence: `Takes ${name} out of traffic and waits until its requests are finished. Its instances go on running.`,
      ask: (signal) => api.rehearse('drainMachine', { params: { machine: name }, body: {} }, signal),
      run: () => api.call('drainMachine', { params: { machine: name }, body: {} }),
    },
  }
}

function ready({ api }: Cluster, { name, state }: Machine): PaletteItem {
  const command = `tandem machine ready ${name}`
  const refusal = state === 'ready' ? `Nothing to do: machine ${name} is in traffic.` : null
  return {
    ...{ group: 'Do', name: `Put machine ${name} back in traffic`, state: 'ready', command, refusal },
    change: {
      ...{ label: 'Put back', title: `Put machine ${name} back in traffic`, command, version: `${name} ${state}` },
      sentence: `Starts the services of ${name} in the release that is current, and sends requests to them.`,
      ask: (signal) => api.rehearse('readyMachine', { params: { machine: name } }, signal),
      run: () => api.call('readyMachine', { params: { machine: name } }),
    },
  }
}

const stateNames = {
  ...{ running: 'running', done: 'done', failed: 'failed', reverted: 'reverted', moved: 'moved', lost: 'lost' },
  ...{ warn: 'behind', note: 'noted' },
} as const satisfies Record<keyof typeof signs, PaletteItem['state']>

const changed = ({ subject, text, sign, position, rollout }: Change): PaletteItem => ({
  ...{ group: 'Changed lately', name: `${subject} ${text}`, state: stateNames[sign] },
  command: `tandem events --from ${position}`,
  path: rollout === null ? `/timeline?at=${position}` : `/rollouts/${encodeURIComponent(rollout)}`,
})
