import type { Overview } from '../../src/api/overview.ts'
import type { Cluster } from '../lib/cluster.ts'
import { doing, type PaletteItem } from '../lib/palette.ts'
import { serviceChange } from '../lib/serviceChanges.ts'
import { abortChange } from './abortChange.ts'
import { titleOf } from './rolloutWords.ts'

type Rollout = NonNullable<Overview['services'][number]['rollout']>

const states = { rollback: 'reverted', restart: 'running', stop: 'stopped', start: 'running' } as const

/** The rollouts that run, and what can be done with each service. */
export function rolloutItems({ api, overview }: Cluster): PaletteItem[] {
  return (overview.value?.services ?? []).flatMap((service) => [
    ...(service.rollout === null
      ? []
      : [running(service.rollout), doing(abortChange(api, service.rollout), 'aborted')]),
    ...(['rollback', 'restart', 'stop', 'start'] as const).map((kind) =>
      doing(serviceChange(api, service, kind), states[kind]),
    ),
  ])
}

const running = (rollout: Rollout): PaletteItem => ({
  ...{ group: 'Go to', name: `Rollout ${rollout.id}: ${titleOf(rollout)}`, state: 'running' },
  command: `tandem rollout show ${rollout.id}`,
  path: `/rollouts/${rollout.id}`,
})
