import type { Sharing, TabMessage } from './live.ts'

/*
 * Tabs share the stream by a lock and a channel, and not by a shared worker: browsers on phones have none, the key of
 * the session stays in the page's own storage, and a hidden tab can give the stream up.
 */

/** Only tabs of one session share a stream: another one may see another cluster, which has taken the port. */
export const streamName = (key: string): string => `tandem.live ${key.slice(-8)}`

/** Takes the lead at once, and returns how to give it up; `null`: another tab has it, or waits for it. */
export async function leadNow(name: string): Promise<(() => void) | null> {
  if (!('locks' in navigator)) return () => {}
  const [taken, given] = [Promise.withResolvers<boolean>(), Promise.withResolvers<void>()]
  navigator.locks
    .request(name, { ifAvailable: true }, (lock) => {
      taken.resolve(lock !== null)
      return lock === null ? undefined : given.promise
    })
    .catch(taken.reject)
  return (await taken.promise) ? given.resolve : null
}

/** Shares with the other tabs of this origin; in a browser without locks, every tab reads its own stream. */
export function tabSharing<T>(name: string): Sharing<T> {
  if (!('locks' in navigator)) return { lead: (_, work) => work(), post: () => {}, listen: () => () => {} }
  const channel = new BroadcastChannel(name)
  return {
    lead: async (signal, work) => {
      try {
        await navigator.locks.request(name, { signal }, work)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
    post: (message) => channel.postMessage(message),
    listen: (heard) => {
      const listener = ({ data }: MessageEvent<TabMessage<T>>): void => heard(data)
      channel.addEventListener('message', listener)
      return () => channel.removeEventListener('message', listener)
    },
  }
}
