import type { Cluster } from '../lib/cluster.ts'
import type { PaletteItem } from '../lib/palette.ts'

/** The events of each service and machine. */
export function eventItems({ overview }: Cluster): PaletteItem[] {
  const named = (kind: 'service' | 'machine', name: string): PaletteItem => ({
    group: 'Go to',
    name: `Events of ${kind} ${name}`,
    state: 'noted',
    command: `tandem events --changes --${kind} ${name}`,
    path: `/timeline?${kind}=${encodeURIComponent(name)}`,
  })
  return [
    ...(overview.value?.services ?? []).map(({ service }) => named('service', service)),
    ...(overview.value?.machines ?? []).map(({ name }) => named('machine', name)),
  ]
}
