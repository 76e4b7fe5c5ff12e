import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { EventView, ReleaseView, RolloutView } from '../../src/api/views.ts'
import { useCluster } from '../lib/cluster.ts'

const [mostRollouts, mostEvents] = [20, 20]

export interface ServiceLists {
  /** Newest first. */
  releases: readonly ReleaseView[]
  history: readonly RolloutView[]
  events: readonly EventView[]
}

/** Releases, rollouts and changes of a service, read again whenever `version` is another. */
export function useServiceLists(service: string, version: string): ServiceLists {
  const { api, contact } = useCluster()
  const lists = useSignal<ServiceLists & { service: string }>({ service: '', releases: [], history: [], events: [] })
  const isLive = contact.value.state === 'live'
  useEffect(() => {
    if (!isLive) return
    const stop = new AbortController()
    const read = async (): Promise<void> => {
      const [{ releases }, { rollouts }, { events }] = await Promise.all([
        api.call('releases', { query: { service } }, stop.signal),
        api.call('rollouts', { query: { service, limit: mostRollouts } }, stop.signal),
        api.call('findEvents', { query: { service, changes: 'true', limit: mostEvents } }, stop.signal),
      ])
      lists.value = { service, releases: releases.toReversed(), history: rollouts.toReversed(), events }
    }
    read().catch(() => {}) // the live mark says that the controller does not answer
    return () => stop.abort()
  }, [api, service, version, isLive, lists])
  return lists.value.service === service ? lists.value : { releases: [], history: [], events: [] }
}
