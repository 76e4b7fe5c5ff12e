import { computed, effect, signal } from '@preact/signals-core'
import type { Live as Sent, Overview } from '../../src/api/overview.ts'
import { Api, fillPath } from '../lib/api.ts'
import type { Cluster, Me } from '../lib/cluster.ts'
import { calls, streams } from '../lib/calls.ts'
import { dropStream, takeStream, type Early, type EarlyStream } from '../lib/early.ts'
import { Live, type Message, type Sharing } from '../lib/live.ts'
import { refusalOf } from '../lib/refusal.ts'
import { streamName, tabSharing } from '../lib/sharing.ts'
import { Tail } from '../lib/tail.ts'

const timers = {
  now: () => Date.now(),
  after: (ms: number, fire: () => void) => {
    const timer = setTimeout(fire, ms)
    return () => clearTimeout(timer)
  },
}

/** The cluster of a session, and how to stop reading of it. */
export interface Opened {
  cluster: Cluster
  tryNow: () => void
  close: () => void
}

const endPath = calls.endTail.replace('POST ', '')

/** Tails are ended also when the tab is closed: a stream carries only so many. */
function openTailOf(live: Live<Overview>, api: Api): Cluster['openTail'] {
  return (query, heard) =>
    new Tail(query, heard, {
      ...{ stream: live.stream, timers, newId: () => crypto.randomUUID() },
      onTail: (tail, take) => live.onTail(tail, take),
      begin: (stream, body) => api.call('openTail', { params: { stream }, body }),
      end: (stream, tail) =>
        void api.raw('POST', fillPath(endPath, { params: { stream, tail } }), { keepalive: true }).catch(() => {}),
    })
}

/** How the tabs of a session read its stream. The tab that opened it early leads first, and reads that one first. */
function readingFrom(
  early: Early,
  key: string,
  api: Api,
): Pick<ConstructorParameters<typeof Live<Overview>>[0], 'read' | 'sharing'> {
  let unread: EarlyStream | null = null
  const sharing: Sharing<Overview> = tabSharing(streamName(key))
  const lead: typeof sharing.lead = async (signal, work) => {
    const begun = await takeStream(early, key)
    if (begun === null) return sharing.lead(signal, work)
    unread = begun
    try {
      await work()
    } finally {
      dropStream(begun)
    }
  }
  const read = (stop: AbortSignal): AsyncIterable<Message<Overview>> => {
    const begun = unread
    unread = null
    if (begun === null) return api.stream<Sent>(streams.live, stop)
    stop.addEventListener('abort', begun.stop)
    return api.stream<Sent>(streams.live, stop, begun.response)
  }
  return { read, sharing: { ...sharing, lead } }
}

/**
 * Begins to read the cluster with the key of a session, until the session has ended. While nobody sees the tab, nothing
 * is read.
 */
export function openCluster(key: string, ended: () => void, early: Early): Opened {
  const api = new Api(key, ended)
  const live = new Live<Overview>({ ...readingFrom(early, key, api), timers, random: Math.random })
  const [me, now] = [signal<Me | null>(null), signal(Date.now())]
  const seen = (): void => {
    if (document.visibilityState === 'visible') return live.show()
    live.hide()
    void takeStream(early, key).then((unused) => unused && dropStream(unused))
  }
  document.addEventListener('visibilitychange', seen)
  const left = (): void => live.hide()
  addEventListener('pagehide', left)
  const online = (): void => live.tryNow()
  addEventListener('online', online)
  // A page that comes back from the browser's cache was left before.
  addEventListener('pageshow', seen)
  seen()
  const tick = setInterval(() => {
    if (document.visibilityState === 'visible') now.value = live.controllerNow()
  }, 1_000)
  const isLive = computed(() => live.contact.value.state === 'live')
  // Who is signed in is asked again after each outage: the token may have got another name or role.
  const stopAsking = effect(() => {
    if (!isLive.value) return undefined
    // The controller's clock may be far from this computer's: ages must not wait for the next tick.
    now.value = live.controllerNow()
    const stop = new AbortController()
    api.call('session', {}, stop.signal).then(
      (answer) => (me.value = answer),
      () => {}, // without an answer the page is soon not live, and asks again afterwards
    )
    return () => stop.abort()
  })
  const refusal = computed(() => refusalOf(live.contact.value, me.value))
  return {
    cluster: {
      api,
      overview: live.model,
      contact: live.contact,
      now,
      me,
      refusal,
      openTail: openTailOf(live, api),
      past: null,
    },
    tryNow: () => live.tryNow(),
    close: () => {
      document.removeEventListener('visibilitychange', seen)
      removeEventListener('pagehide', left)
      removeEventListener('pageshow', seen)
      removeEventListener('online', online)
      clearInterval(tick)
      stopAsking()
      live.hide()
    },
  }
}
