import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { twelveServices } from '../web/scenario.ts'
import { ServedCluster } from '../web/servedCluster.ts'
import { findings, launch, watched, whyNoBrowser, type Watched } from './chromium.ts'

const missing = whyNoBrowser()
if (missing !== null) console.log(`the page of machines is not tested in a browser: ${missing}`)

describe.skipIf(missing !== null)('the pages of machines', () => {
  let served: ServedCluster
  let browser: Browser
  beforeAll(async () => {
    ;[served, browser] = await Promise.all([ServedCluster.start(await twelveServices()), launch()])
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  async function at(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
    const tab = await watched(context, `http://tandem.localhost:${served.port}`)
    await tab.page.goto((await served.link()).replace('/#', `${path}#`))
    await tab.page.getByText(/^\W*live/).waitFor()
    return tab
  }

  it.each([
    ['wide', {}],
    ['narrow and dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ] as const)('show all machines and one of them, %s', async (_, options) => {
    const tab = await at('/machines', options)
    await tab.page.getByRole('heading', { level: 1, name: '2 machines: all ready' }).waitFor()
    expect(await findings(tab.page)).toEqual([])
    await tab.page.locator('.machine-list a', { hasText: /^b$/ }).click()
    await tab.page.getByRole('heading', { level: 1, name: 'Machine b ready' }).waitFor()
    await tab.page.getByText('exited with status 1').first().waitFor()
    expect([...(await findings(tab.page)), ...tab.complaints]).toEqual([])
    expect(await tab.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await tab.page.context().close()
  })

  it('drain a machine and put it back, each after a look at its steps', async () => {
    const tab = await at('/machines/b')
    await tab.page.getByText('Nothing to do: machine b is in traffic.').waitFor()
    const drain = tab.page.getByRole('button', { name: 'Drain', exact: true, disabled: false })
    await drain.waitFor({ timeout: 10_000 })
    await drain.first().click()
    const dialog = tab.page.getByRole('dialog', { name: 'Drain machine b' })
    await dialog.getByText('The controller would begin with').waitFor()
    await dialog.getByRole('button', { name: 'Drain', exact: true }).click()
    await tab.page.getByRole('heading', { level: 1, name: /Machine b drain/ }).waitFor()
    await expect.poll(() => served.cluster.controller.state.machines['b']?.traffic).toBe('drained')
    await tab.page.getByRole('button', { name: 'Put back', exact: true }).click()
    const back = tab.page.getByRole('dialog', { name: 'Put machine b back in traffic' })
    await back.getByRole('button', { name: 'Put back', exact: true }).click()
    await tab.page.getByRole('heading', { level: 1, name: 'Machine b ready' }).waitFor()
    expect(tab.complaints).toEqual([])
    await tab.page.context().close()
  })
})
