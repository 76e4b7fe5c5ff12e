import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { live, twelveServices } from '../web/scenario.ts'
import { ServedCluster } from '../web/servedCluster.ts'
import { findings, launch, watched, whyNoBrowser, type Watched } from './chromium.ts'

const missing = whyNoBrowser()

/** The page over the real controller, on virtual time: a pair with twelve services under load. */
describe.skipIf(missing !== null)('the overview, and what its buttons refuse, in a browser', () => {
  let served: ServedCluster
  let browser: Browser
  let stopRequests: () => void
  beforeAll(async () => {
    const cluster = await twelveServices()
    ;[served, browser] = await Promise.all([ServedCluster.start(cluster), launch()])
    stopRequests = live(cluster)
  })
  afterAll(async () => {
    stopRequests?.()
    await browser?.close()
    await served?.close()
  })

  async function at(path: string, options: BrowserContextOptions = {}): Promise<Watched> {
    const { origin, hash } = new URL(await served.link())
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
    const tab = await watched(context, origin)
    await tab.page.goto(`${origin}${path}${hash}`)
    await tab.page.locator('main:not([aria-busy=true]) h1').waitFor()
    return tab
  }

  const region = (page: Page, name: string): Promise<string> =>
    page.getByRole('region', { name: new RegExp(`^${name}`) }).innerText()

  it('fits on one screen, down to certificates, stores and the controller', async () => {
    const { page, complaints } = await at('/')
    await page.getByText('2 findings').waitFor()
    // The service that is rolled out has two lines.
    await page.locator('.services td.said', { hasText: 'starting' }).first().waitFor()
    expect((await region(page, 'Certificates')).replaceAll(/\s+/g, ' ')).toMatch(
      /^Certificates checked \d:\d\d ago \*\.example on a, b 8 d shop\.example\.com on a, b 60 d machines renew by themselves 81 d$/,
    )
    expect(await region(page, 'Stores')).toMatch(/event log\s+\d+ events\s+releases\s+12\s+412 MB of 20 GB/)
    expect(await region(page, 'Controller')).toMatch(/Tandem 0\s+term 1\s+checkups\s+2 findings/)
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThanOrEqual(900)
    const widths = await page.evaluate<number[]>(
      `[...document.querySelectorAll('th.machine')].map((one) => Math.round(one.getBoundingClientRect().width))`,
    )
    expect(widths[0]).toBe(widths[1])
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.context().close()
  })

  it('takes the keys of the help: copies the command of a page, moves the crosshair, pauses a tail', async () => {
    const { page, complaints } = await at('/services/shop', { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('slider').waitFor()
    await page.keyboard.press('c')
    const copied = (): Promise<string> => page.evaluate('navigator.clipboard.readText()')
    await expect.poll(copied).toBe("tandem open '/services/shop'")
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => page.getByRole('slider').getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d, /)
    await page.keyboard.press('+')
    await expect.poll(() => new URL(page.url()).searchParams.has('from')).toBe(true)
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog', { name: 'Keys' }).innerText()).toMatch(/Crosshair back\s+←/)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.getByRole('link', { name: 'Logs', exact: true }).first().click()
    await page.getByRole('link', { name: 'api', exact: true }).click()
    const follow = page.locator('button.follow')
    await page.locator('.scroller .row').first().waitFor()
    const before = await follow.getAttribute('aria-pressed')
    await page.keyboard.press('Space')
    await expect.poll(() => follow.getAttribute('aria-pressed')).not.toBe(before)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  it('says why the controller would refuse, beside the button that stays in the order of focus', async () => {
    const { page, complaints } = await at('/services/api')
    const rollBack = page.getByRole('button', { name: 'Roll back', exact: true })
    const action = page.locator('.action', { has: rollBack })
    await action.getByText(/^Not possible: .*api/).waitFor()
    await rollBack.focus()
    await page.keyboard.press('Enter')
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.context().close()
  })

  it('refuses everything while it is cut off, also in an open dialog, and goes on by itself', async () => {
    const { page, complaints } = await at('/services/api')
    await page.getByRole('button', { name: 'Restart', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Restart api' })
    await dialog.getByText('api restart started').waitFor()
    served.isCut = true
    onTestFinished(() => void (served.isCut = false))
    await dialog.getByText('Not now: the page is not live.').waitFor()
    await dialog.getByRole('button', { name: 'Restart', exact: true }).press('Enter')
    await page.keyboard.press('Escape')
    await page
      .getByRole('region', { name: 'not live' })
      .getByText(/^As of \d\d:\d\d:\d\d/)
      .waitFor()
    const refused = await page.locator('.action > button[aria-disabled=true]').count()
    expect(refused).toBe(await page.locator('.action > button').count())
    await page.getByRole('button', { name: 'Try now' }).click()
    served.isCut = false
    await page.getByText(/^\W*live/).waitFor()
    await page.getByRole('button', { name: 'Restart', exact: true, disabled: false }).waitFor()
    // The click in between asked for nothing.
    expect(served.cluster.controller.history.all().filter(({ kind }) => kind === 'restart')).toEqual([])
    expect(complaints).toEqual([])
    await page.context().close()
  })

  it('has no columns and no buttons of what the past does not hold, and a record up to then', async () => {
    const { cluster } = served
    const done = (): string | undefined =>
      cluster.controller.history
        .all()
        .find(({ kind, previous, finishedAt }) => kind === 'deploy' && previous && finishedAt)?.id
    await cluster.until('a rollout under load', () => done() !== undefined)
    const id = done() ?? ''
    const end = cluster.eventsOf('RolloutFinished').find(({ data }) => data.rollout === id)?.position ?? 0
    const { page, complaints } = await at(`/?at=${end - 1}`)
    const heads = page.locator('.services thead tr:last-child th')
    expect(await heads.allInnerTexts()).toEqual(['service', 'state, release', 'state, release'])
    expect(await page.getByRole('region', { name: /^Certificates/ }).count()).toBe(0)
    await page.getByRole('link', { name: 'Watch' }).click()
    await page.getByRole('heading', { level: 1, name: /running/ }).waitFor()
    await page
      .getByText(/^\d[\d,]* until then\.$/)
      .first()
      .waitFor()
    expect(await page.locator('.action').count()).toBe(0)
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.context().close()
  })

  it('shows a lost machine as last seen, and lets nobody take the other one out', async () => {
    const { cluster } = served
    const { page, complaints } = await at('/')
    cluster.machine('b').line.set({ state: 'cut' })
    await cluster.until('b is lost', () => cluster.controller.state.machines['b']?.lost === true)
    await page
      .getByText(/^last seen \d:\d\d ago$/)
      .first()
      .waitFor()
    expect(await region(page, 'Wrong now')).toMatch(/lost\s+machine b/)
    await page
      .getByRole('link', { name: /^ready a$|^a$/ })
      .first()
      .click()
    const drain = page.locator('.action', { has: page.getByRole('button', { name: 'Drain', exact: true }) })
    await drain.getByText(/^Not (now|possible): .*machine/).waitFor()
    expect([...(await findings(page)), ...complaints]).toEqual([])
    cluster.machine('b').line.set({ state: 'up' })
    await page.context().close()
  })
})
