import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ClusterMap } from '../../src/api/map.ts'
import type { Overview } from '../../src/api/overview.ts'
import { useCluster } from './cluster.ts'

/** Counts of connections grow all the time. */
const againMs = 30_000

/** Services and who calls whom, read again after each change of a service; `null`: not known yet, or of the past. */
export function useMap(): ReadonlySignal<ClusterMap | null> {
  const { api, contact, past, overview } = useCluster()
  const map = useSignal<ClusterMap | null>(null)
  const isLive = contact.value.state === 'live' && past === null
  const version = overview.value === null ? '' : statesIn(overview.value)
  useEffect(() => {
    if (!isLive) return undefined
    const stop = new AbortController()
    const read = (): void => {
      api.call('map', {}, stop.signal).then(
        (answer) => (map.value = answer),
        () => {}, // the next reading comes
      )
    }
    read()
    const timer = setInterval(read, againMs)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [api, isLive, version, map])
  return map
}

/** Another text whenever a service, its release, or the state of an instance is another. */
const statesIn = ({ services }: Overview): string =>
  services
    .map(({ service, release, state, instances }) =>
      [service, release, state, ...instances.map((one) => `${one.machine} ${one.state}`)].join(),
    )
    .join(';')
