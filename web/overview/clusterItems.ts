import type { Overview } from '../../src/api/overview.ts'
import type { Cluster } from '../lib/cluster.ts'
import { drain, putBack } from '../lib/machineChanges.ts'
import { doing, type PaletteItem } from '../lib/palette.ts'
import { signs } from '../lib/signs.ts'

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
    ...value.machines.flatMap((machine) => [
      doing(drain(cluster.api, machine), 'drained'),
      doing(putBack(cluster.api, machine), 'ready'),
    ]),
    ...value.changes.map(changed),
  ]
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
