import type { Sharing, TabMessage } from './live.ts'

/*
 * Tabs share the stream by a lock and a channel, and not by a shared worker: browsers on phones have none, the key of
 * the session stays in the page's own storage, and a hidden tab can give the stream up.
 */

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
