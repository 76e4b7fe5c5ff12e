import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Api } from './api.ts'
import { useCluster } from './cluster.ts'

/**
 * An answer of the controller, read again after this time and whenever `version` is another; `null`: not known yet, or the
 * page shows the past. `read` must be the same function each time.
 */
export function useAgain<T>(
  read: (api: Api, stop: AbortSignal) => Promise<T>,
  againMs: number,
  version = '',
): ReadonlySignal<T | null> {
  const { api, contact, past } = useCluster()
  const known = useSignal<T | null>(null)
  const isLive = contact.value.state === 'live' && past === null
  useEffect(() => {
    if (!isLive) return undefined
    const stop = new AbortController()
    const again = (): void => {
      read(api, stop.signal).then(
        (answer) => (known.value = answer),
        () => {}, // the next reading comes; the live mark says that the controller does not answer
      )
    }
    again()
    const timer = setInterval(again, againMs)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [api, read, againMs, version, isLive, known])
  return known
}
