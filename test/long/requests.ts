import type { CDPSession } from 'playwright-core'

/** A request of a page. */
export interface PageRequest {
  path: string
  /** Round trips until its answer: one more than those of the document or script that caused it. */
  trips: number
  /** Bytes of its answer on the wire, so far. */
  bytes: number
  /** Of the request, the head of its answer, and its last bytes so far, in ms since the first request. */
  beganAt: number
  answeredAt: number | null
  readUntil: number | null
}

/** The requests so far, which grow as the page makes them. */
export async function pageRequests(devtools: CDPSession): Promise<PageRequest[]> {
  const requests: PageRequest[] = []
  const byId = new Map<string, PageRequest>()
  const byUrl = new Map<string, PageRequest>()
  let start: number | null = null
  const since = (timestamp: number): number => (timestamp - (start ??= timestamp)) * 1_000
  devtools.on('Network.requestWillBeSent', ({ requestId, request: { url }, initiator, timestamp }) => {
    const trips = (byUrl.get(causeOf(initiator) ?? '')?.trips ?? 0) + 1
    const times = { beganAt: since(timestamp), answeredAt: null, readUntil: null }
    const one = { path: new URL(url).pathname, trips, bytes: 0, ...times }
    requests.push(one)
    byId.set(requestId, one)
    byUrl.set(url, one)
  })
  devtools.on('Network.responseReceived', ({ requestId, timestamp }) => {
    const one = byId.get(requestId)
    if (one) one.answeredAt = since(timestamp)
  })
  devtools.on('Network.dataReceived', ({ requestId, timestamp, encodedDataLength }) => {
    const one = byId.get(requestId)
    if (one) Object.assign(one, { readUntil: since(timestamp), bytes: one.bytes + encodedDataLength })
  })
  await devtools.send('Network.enable')
  return requests
}

interface Stack {
  callFrames: { url: string }[]
  parent?: Stack
}

function causeOf({ url, stack }: { url?: string; stack?: Stack }): string | undefined {
  for (let at = stack; at !== undefined; at = at.parent) {
    const frame = at.callFrames.find((one) => one.url !== '')
    if (frame) return frame.url
  }
  return url
}
