import type { Browser } from 'playwright-core'
import { pageRequests } from '../test/long/requests.ts'
import type { PageCluster } from './pageCluster.ts'

interface PageSize {
  path: string
  /** Of all its files as they came over the line, without headers. */
  bytes: number
  files: number
}

/** Opens each page in a browser that has nothing of it yet. */
export async function pageSizes(browser: Browser, cluster: PageCluster): Promise<PageSize[]> {
  const { client, origin } = cluster
  const { rollouts } = await client.call('rollouts', { query: {} })
  const [rollout] = rollouts
  const service = rollout?.service ?? ''
  const pages = ['/', '/rollouts', `/rollouts/${rollout?.id}`, '/services', `/services/${service}`]
  const sizes: PageSize[] = []
  for (const path of [...pages, '/logs', `/logs/${service}`, '/timeline', '/machines', '/machines/a']) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const requests = await pageRequests(await context.newCDPSession(page))
    await page.goto(`${origin}${path}#open=${await cluster.link()}`)
    await page.getByText(/^\W*live/).waitFor()
    await page.locator('h1').waitFor()
    const files = requests.filter((one) => !one.path.startsWith('/api/'))
    sizes.push({ path, bytes: files.reduce((sum, one) => sum + one.bytes, 0), files: files.length })
    await context.close()
  }
  return sizes
}
