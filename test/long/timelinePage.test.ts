import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { twelveServices } from '../web/scenario.ts'
import { ServedCluster } from '../web/servedCluster.ts'
import { findings, launch, watched, whyNoBrowser, type Watched } from './chromium.ts'

const missing = whyNoBrowser()

describe.skipIf(missing !== null)('timeline, past and palette, in a browser', () => {
  let served: ServedCluster
  let browser: Browser
  beforeAll(async () => {
    const cluster = await twelveServices()
    ;[served, browser] = await Promise.all([ServedCluster.start(cluster), launch()])
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  async function signedIn(path: string, options: BrowserContextOptions = {}, role?: 'reader'): Promise<Watched> {
    const { origin, hash } = new URL(await served.link(role ? { role, name: 'eyes' } : {}))
    const context = await browser.newContext({
      ...{ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options },
    })
    const tab = await watched(context, origin)
    await tab.page.goto(`${origin}${path}${hash}`)
    await tab.page.getByRole('heading', { level: 1 }).waitFor()
    return tab
  }

  it('shows the newest changes, what followed from one, and new ones when somebody wants them', async () => {
    const { page, complaints } = await signedIn('/timeline')
    const rows = page.locator('.days a.event')
    await rows.first().waitFor()
    expect(await rows.first().innerText()).toContain('search on b failed: exited with status 1')
    const many = await rows.count()
    await served.cluster.controller.execute({ type: 'NoteMachine', machine: 'a', text: '<b>disk</b> ordered' }, 'ida')
    await page.getByRole('button', { name: '1 new event' }).click()
    await expect.poll(() => rows.count()).toBe(many + 1)
    expect(await rows.first().innerText()).toContain('ida')
    await page.getByRole('link', { name: 'Failures' }).click()
    await expect.poll(() => rows.allInnerTexts()).toEqual([expect.stringContaining('search on b failed')])
    await page.getByText('tandem events --failures --last 50').waitFor()
    await page.getByRole('link', { name: 'By people' }).click()
    await expect.poll(async () => (await rows.first().innerText()).includes('ida')).toBe(true)
    expect((await page.locator('.days .who').allInnerTexts()).some((who) => /^(machine|Tandem)/.test(who))).toBe(false)
    await page.getByRole('link', { name: 'Changes', exact: true }).click()
    await page.getByLabel('service').selectOption('api')
    await expect.poll(() => rows.count()).toBe(2)
    expect(new URL(page.url()).search).toBe('?service=api')
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^What followed \d+$/ }).waitFor()
    const panel = page.getByRole('complementary')
    expect(await panel.innerText()).toContain('RolloutStarted')
    expect(await panel.innerText()).toMatch(/\$ tandem events --from \d+/)
    await panel.getByRole('button', { name: /^with the \d+ steps on the way$/ }).click()
    await panel.getByText('api on b is done').waitFor()
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
    await page.context().close()
  })

  it('leads to the state as of an event, on every page visibly the past, and back', async () => {
    const { page, complaints } = await signedIn('/timeline?type=RolloutStarted&service=shop')
    await page.locator('.days a.event').last().click()
    await page.getByText('State as of').click()
    await page.getByRole('heading', { name: 'Wrong then' }).waitFor()
    const position = Number(new URL(page.url()).searchParams.get('at'))
    // The words come after the position.
    await expect.poll(() => page.locator('.strip.past').innerText()).toContain(`After event ${position}: shop rollout`)
    expect(await page.locator('.changing').innerText()).toContain('shop')
    expect(await page.locator('.bar').innerText()).not.toContain('live')
    const frame = await page.evaluate("getComputedStyle(document.body, '::after').borderTopWidth")
    expect(frame).toBe('4px')
    expect(await findings(page)).toEqual([])
    await page.getByRole('link', { name: `event ${position + 1}` }).click()
    await page.getByText(`event ${position + 1}:`).waitFor()
    await page.getByRole('link', { name: 'Rollouts' }).click()
    await page.getByRole('heading', { level: 1, name: '1 rollout ran.' }).waitFor()
    expect(new URL(page.url()).searchParams.get('at')).toBe(String(position + 1))
    await page
      .getByRole('link', { name: /^shop / })
      .first()
      .click()
    await page.getByRole('heading', { level: 1, name: /^shop .* running/ }).waitFor()
    expect(await page.getByRole('button', { name: 'Abort' }).count()).toBe(0)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Back to now' }).click()
    await page.getByRole('button', { name: 'Abort', exact: true }).waitFor()
    expect(new URL(page.url()).search).toBe('')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  it('shows what an action of the palette will do, does it, and keeps refused ones listed with the reason', async () => {
    const { page, complaints } = await signedIn('/')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await page.keyboard.type('start api')
    const refused = page.getByRole('option', { name: /^Start api/ })
    expect(await refused.innerText()).toContain('Nothing to do: api runs.')
    expect(await refused.getAttribute('aria-disabled')).toBe('true')
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Control+a')
    await page.keyboard.type('restart api')
    await page.getByRole('option', { name: /^Restart api/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('api restart started').waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Leave it')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /^api restart/ }).waitFor()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(complaints).toEqual([])
    await page.context().close()
  })

  it('refuses every action of a token that only reads, and says so', async () => {
    const { page } = await signedIn('/', {}, 'reader')
    await page.getByRole('button', { name: 'eyes' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await page.keyboard.type('drain')
    const option = page.getByRole('option', { name: /^Drain machine a/ })
    await option.getByText('Not possible: the token "eyes" only reads.').waitFor()
    await page.keyboard.press('Enter')
    expect(await option.isVisible()).toBe(true)
    await page.context().close()
  })

  const views: [string, BrowserContextOptions][] = [
    ['wide', {}],
    ['narrow', { viewport: { width: 390, height: 844 } }],
    ['at 200 %', { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 }],
    ['with forced colours', { forcedColors: 'active' }],
  ]

  it.each(views)('has no finding of axe-core %s, light and dark, on any of these pages', async (_, view) => {
    const { page, complaints } = await signedIn('/timeline', view)
    const width = view.viewport?.width ?? 1440
    const { origin } = new URL(page.url())
    for (const path of ['/timeline?at=100&all=1', '/?at=100', '/rollouts?at=100']) {
      await page.goto(origin + path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.locator('main:not([aria-busy=true])').waitFor()
      expect([path, Number(await page.evaluate('document.documentElement.scrollWidth')) <= width]).toEqual([path, true])
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect([path, colorScheme, ...(await findings(page))]).toEqual([path, colorScheme])
      }
    }
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
