import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { NumbersSeries } from '../../../src/api/numbers.ts'
import { useCluster } from '../cluster.ts'
import { joined, knownUntil } from './seriesModel.ts'

/** Time between two readings; agents report every 2 s while a page looks. */
const everyMs = 2_000

/**
 * The numbers of machines and of a service (`null`: of machines only) over the last 15 minutes, and each new point,
 * while the page is live and `isOn`.
 */
export function useSeries(service: string | null, isOn = true): ReadonlySignal<NumbersSeries | null> {
  const { api, contact, past } = useCluster()
  const series = useSignal<NumbersSeries | null>(null)
  // Numbers of the past are not kept.
  const isLive = contact.value.state === 'live' && past === null
  useEffect(() => {
    if (!isLive || !isOn) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async (): Promise<void> => {
      const { value: before } = series
      const known = before?.service === service ? before : null
      const newest = known === null ? null : knownUntil(known)
      const since = newest === null ? undefined : new Date(newest).toISOString()
      const more = await api.call('numbersSeries', { query: { service: service ?? undefined, since } }, stop.signal)
      series.value = joined(known, more)
    }
    const again = (): void => {
      read()
        .then(
          () => {},
          () => {}, // the live mark says that the controller does not answer
        )
        .finally(() => {
          if (!stop.signal.aborted) timer = setTimeout(again, everyMs)
        })
    }
    again()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [api, service, isLive, isOn, series])
  return series
}
