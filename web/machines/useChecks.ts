import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Check } from '../../src/api/checks.ts'
import { useCluster } from '../lib/cluster.ts'

const againMs = 60_000

/** The newest checkups; `null`: not known yet. The controller makes them after changes, at least every 5 minutes. */
export function useChecks(): ReadonlySignal<Check[] | null> {
  const { api, contact, past } = useCluster()
  const checks = useSignal<Check[] | null>(null)
  const isLive = contact.value.state === 'live' && past === null
  useEffect(() => {
    if (!isLive) return undefined
    const stop = new AbortController()
    const read = (): void => {
      api.call('checks', {}, stop.signal).then(
        (answer) => (checks.value = answer.checks),
        () => {}, // the next reading comes
      )
    }
    read()
    const timer = setInterval(read, againMs)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [api, isLive, checks])
  return checks
}
