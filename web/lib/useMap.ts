import type { ReadonlySignal } from '@preact/signals'
import type { ClusterMap } from '../../src/api/map.ts'
import type { Overview } from '../../src/api/overview.ts'
import type { Api } from './api.ts'
import { useCluster } from './cluster.ts'
import { useAgain } from './useAgain.ts'

/** Counts of connections grow all the time. */
const againMs = 30_000

const read = (api: Api, stop: AbortSignal): Promise<ClusterMap> => api.call('map', {}, stop)

/** Services and who calls whom, read again after each change of a service; `null`: not known yet, or of the past. */
export function useMap(): ReadonlySignal<ClusterMap | null> {
  const { overview } = useCluster()
  return useAgain(read, againMs, overview.value === null ? '' : statesIn(overview.value))
}

/** Another text whenever a service, its release, or the state of an instance is another. */
const statesIn = ({ services }: Overview): string =>
  services
    .map(({ service, release, state, instances }) =>
      [service, release, state, ...instances.map((one) => `${one.machine} ${one.state}`)].join(),
    )
    .join(';')
