import type { Browser, CDPSession } from 'playwright-core'
import { patienceMs } from '../src/lib/testing/patience.ts'
import { headline } from '../web/overview/headline.ts'
import type { PageCluster } from './pageCluster.ts'

/** A slow line, and a processor of a quarter of the speed. */
const slow = { latencyMs: 150, bytesPerSecond: 1_600_000 / 8, cpuRate: 4 }

/** A request of the page, with times in ms since the navigation began. */
interface Requested {
  path: string
  beganAt: number
  answeredAt: number | null
  /** Of its last bytes before the heading. */
  readUntil: number | null
  bytes: number
}

export interface FirstLook {
  /** From the navigation until the heading with the true state has been painted, in ms. */
  headingMs: number
  /** Those that began before the heading stood there, in their order. */
  requests: Requested[]
}

/** Tells when the heading that says the state has been painted. Comes with the emulation, so no policy applies to it. */
const watching = `
  const seen = new MutationObserver(() => {
    if (document.querySelector('.overview') === null) return
    seen.disconnect()
    requestAnimationFrame(() => setTimeout(() => { globalThis.headingShown(performance.now()) }))
  })
  seen.observe(document, { subtree: true, childList: true, characterData: true })`

/** Opens the overview in a browser that has nothing of it yet; `by`: a session that it has, or the link that opens it. */
export async function firstLook(browser: Browser, cluster: PageCluster, by: 'session' | 'link'): Promise<FirstLook> {
  const { origin } = cluster
  const localStorage = by === 'link' ? [] : [{ name: 'tandem.session', value: await cluster.session() }]
  const context = await browser.newContext({ storageState: { cookies: [], origins: [{ origin, localStorage }] } })
  try {
    const page = await context.newPage()
    const shown = Promise.withResolvers<number>()
    await page.exposeFunction('headingShown', shown.resolve)
    await page.addInitScript(watching)
    const devtools = await context.newCDPSession(page)
    const requests = await watchRequests(devtools, origin)
    const { latencyMs: latency, bytesPerSecond, cpuRate: rate } = slow
    const throughput = { downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond }
    await devtools.send('Network.emulateNetworkConditions', { offline: false, latency, ...throughput })
    await devtools.send('Emulation.setCPUThrottlingRate', { rate })
    await page.goto(by === 'link' ? `${origin}/#open=${await cluster.link()}` : `${origin}/`, { waitUntil: 'commit' })
    const tooLate = setTimeout(() => shown.reject(new Error('there is no heading')), patienceMs)
    const headingMs = await shown.promise
    clearTimeout(tooLate)
    const [heading, state] = [await page.locator('h1').innerText(), await cluster.client.call('overview', {})]
    if (heading !== headline(state, null)) throw new Error(`"${heading}" is not the true state`)
    return { headingMs, requests: requests.filter(({ beganAt }) => beganAt < headingMs) }
  } finally {
    await context.close()
  }
}

/** The requests so far, which grow as the page makes them. */
export async function watchRequests(devtools: CDPSession, origin: string): Promise<Requested[]> {
  const all = new Map<string, Requested>()
  const requests: Requested[] = []
  let start: number | null = null
  const since = (timestamp: number): number => (timestamp - (start ??= timestamp)) * 1_000
  devtools.on('Network.requestWillBeSent', ({ requestId, request, timestamp }) => {
    const path = request.url.slice(origin.length)
    const one = { path, beganAt: since(timestamp), answeredAt: null, readUntil: null, bytes: 0 }
    all.set(requestId, one)
    requests.push(one)
  })
  devtools.on('Network.responseReceived', ({ requestId, timestamp }) => {
    const one = all.get(requestId)
    if (one) one.answeredAt = since(timestamp)
  })
  devtools.on('Network.dataReceived', ({ requestId, timestamp, encodedDataLength }) => {
    const one = all.get(requestId)
    if (one) Object.assign(one, { readUntil: since(timestamp), bytes: one.bytes + encodedDataLength })
  })
  await devtools.send('Network.enable')
  return requests
}
