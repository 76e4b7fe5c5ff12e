import { setTimeout as pause } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { patienceMs } from '../src/lib/testing/patience.ts'
import { pageRequests, type PageRequest } from '../test/long/requests.ts'
import { headline } from '../web/overview/headline.ts'
import type { PageCluster } from './pageCluster.ts'

/** A slow line, and a processor of a quarter of the speed. */
const slow = { latencyMs: 150, bytesPerSecond: 1_600_000 / 8, cpuRate: 4 }

/** A browser is at rest once all its processes together use less CPU time than this between two looks. */
const [restMs, lookEveryMs] = [10, 200]

export interface FirstLook {
  /** From the navigation until the heading with the true state has been painted, in ms. */
  headingMs: number
  /** Those that began before the heading stood there, in their order. */
  requests: PageRequest[]
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
  const before = headline(await cluster.client.call('overview', {}), null)
  const context = await browser.newContext({ storageState: { cookies: [], origins: [{ origin, localStorage }] } })
  try {
    const page = await context.newPage()
    // A new window loads pages of the browser's own, which take the processor from ours; a person's window stands open.
    await atRest(browser)
    const shown = Promise.withResolvers<number>()
    await page.exposeFunction('headingShown', shown.resolve)
    await page.addInitScript(watching)
    const devtools = await context.newCDPSession(page)
    const requests = await pageRequests(devtools)
    const { latencyMs: latency, bytesPerSecond, cpuRate: rate } = slow
    const throughput = { downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond }
    await devtools.send('Network.emulateNetworkConditions', { offline: false, latency, ...throughput })
    await devtools.send('Emulation.setCPUThrottlingRate', { rate })
    await page.goto(by === 'link' ? `${origin}/#open=${await cluster.link()}` : `${origin}/`, { waitUntil: 'commit' })
    const tooLate = setTimeout(() => shown.reject(new Error('there is no heading')), patienceMs)
    const headingMs = await shown.promise
    clearTimeout(tooLate)
    const heading = await page.locator('h1').innerText()
    const after = headline(await cluster.client.call('overview', {}), null)
    // The state may change meanwhile.
    if (heading !== before && heading !== after) throw new Error(`"${heading}" is not the true state: "${after}"`)
    return { headingMs, requests: requests.filter(({ beganAt }) => beganAt < headingMs) }
  } finally {
    await context.close()
  }
}

async function atRest(browser: Browser): Promise<void> {
  const devtools = await browser.newBrowserCDPSession()
  const busyMs = async (): Promise<number> => {
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0)
  }
  const tooLate = performance.now() + patienceMs
  let before = await busyMs()
  for (;;) {
    await pause(lookEveryMs)
    const now = await busyMs()
    if (now - before < restMs) break
    if (performance.now() > tooLate) throw new Error('the browser does not come to rest')
    before = now
  }
  await devtools.detach()
}
