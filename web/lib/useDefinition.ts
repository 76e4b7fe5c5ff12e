import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ReleaseDefinition } from '../../src/api/releaseDefinition.ts'
import { useCluster } from './cluster.ts'

/** The definition of a release; `null`: not read yet, or its release is gone. */
export function useDefinition(service: string | null, release: string | null): ReleaseDefinition | null {
  const { api } = useCluster()
  const found = useSignal<ReleaseDefinition | null>(null)
  useEffect(() => {
    if (service === null || release === null) return
    const stop = new AbortController()
    api.call('releaseDefinition', { params: { service, release } }, stop.signal).then(
      (answer) => (found.value = answer),
      () => (found.value = null),
    )
    return () => stop.abort()
  }, [api, service, release, found])
  const { value } = found
  return value?.service === service && value.release === release ? value : null
}
