import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { LastWordsView } from '../../src/api/lastWords.ts'
import { Refused } from './api.ts'
import { useCluster } from './cluster.ts'

/** An agent sends the last words of a failure within half a minute: they are asked for so often after each failure. */
const [againMs, mostAsked] = [5_000, 12]

/** The last output of an instance before it failed; a text: why there is none; `null`: not known yet. */
export function useLastWords(instance: string): LastWordsView | string | null {
  const { api, overview, past } = useCluster()
  const found = useSignal<LastWordsView | string | null>(null)
  const known = overview.value?.services.flatMap((one) => one.instances).find(({ id }) => id.startsWith(instance))
  const isSettled = past !== null || known?.state === 'ready'
  // Another failure has another number of restarts.
  const version = `${known?.restarts} ${known?.state}`
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async (left: number): Promise<void> => {
      try {
        found.value = await api.call('lastWords', { params: { instance } }, stop.signal)
        // An instance that is gone fails no more.
        if (known === undefined) return
      } catch (error) {
        if (stop.signal.aborted) return
        const before = found.peek()
        if (error instanceof Refused && (before === null || typeof before === 'string')) found.value = error.message
      }
      if (!isSettled && left > 1) timer = setTimeout(() => void ask(left - 1), againMs)
    }
    void ask(mostAsked)
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [api, instance, version, isSettled, found])
  return found.value
}
