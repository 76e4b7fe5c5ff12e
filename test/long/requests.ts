import type { CDPSession } from 'playwright-core'

/** A request of a page. */
export interface PageRequest {
  path: string
  /** Round trips until its answer: one more than those of the document or script that caused it. */
  trips: number
  /** Bytes of its answer on the wire, so far. */
  bytes: number
}

/** The requests so far, which grow as the page makes them. */
export async function pageRequests(devtools: CDPSession): Promise<PageRequest[]> {
  const requests: PageRequest[] = []
  const byId = new Map<string, PageRequest>()
  const byUrl = new Map<string, PageRequest>()
  devtools.on('Network.requestWillBeSent', ({ requestId, request: { url }, initiator }) => {
    const cause = byUrl.get(causeOf(initiator) ?? '')
    const one = { path: new URL(url).pathname, trips: (cause?.trips ?? 0) + 1, bytes: 0 }
    requests.push(one)
    byId.set(requestId, one)
    byUrl.set(url, one)
  })
  devtools.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    const one = byId.get(requestId)
    if (one) one.bytes += encodedDataLength
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
