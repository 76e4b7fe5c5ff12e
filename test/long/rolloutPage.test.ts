import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Definition } from '../../src/definitions/definition.ts'
import { Cluster, releaseOf } from '../inProcess/cluster.ts'
import type { Behaviour } from '../inProcess/machine.ts'
import { ServedCluster } from '../web/servedCluster.ts'
import { findings, launch, watched, whyNoBrowser, type Watched } from './chromium.ts'

const missing = whyNoBrowser()
const [first, second, bad] = ['aaaaaaa1', 'bbbbbbb2', 'ccccccc3']
/** A rollout whose instances boot so long is watched in time also by a slow browser. */
const slowMs = 120_000
const patient = { health: { path: '/', everyMs: 100, timeoutMs: 1_000, withinMs: 2 * slowMs, settleMs: 500 } }

describe.skipIf(missing !== null)('the page of a rollout, in a browser', () => {
  let cluster: Cluster
  let served: ServedCluster
  let browser: Browser
  /** Time in which an instance begins to listen. */
  let bootMs = 2_000
  beforeAll(async () => {
    cluster = await Cluster.start({ machines: 2, seed: 11 })
    for (const machine of cluster.machines.values()) {
      machine.behaviour = ({ release }): Behaviour => {
        const fatal = { stream: 'err' as const, text: 'no <b>SMTP_URL</b> in the environment' }
        if (release.startsWith(bad)) return { prints: [fatal], bootMs: 60_000, ends: { code: 1, afterMs: 500 } }
        return { prints: [{ stream: 'out', text: `listens, release ${release.slice(0, 7)}` }], bootMs }
      }
    }
    await cluster.push(first, patient)
    ;[served, browser] = await Promise.all([ServedCluster.start(cluster), launch()])
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  async function signedIn(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
    const link = await served.link()
    const { origin, hash } = new URL(link)
    const tab = await watched(await browser.newContext(options), origin)
    await tab.page.goto(`${origin}${path}${hash}`)
    await tab.page.getByText(/^\W*live/).waitFor()
    return tab
  }

  const roll = async (release: string, definition: Partial<Definition> = {}): Promise<string> => {
    await cluster.publish(release, definition)
    return (await cluster.start('shop', releaseOf(release)))?.id ?? ''
  }

  it('watches a rollout to its end at one address, which is its record then', async () => {
    bootMs = slowMs
    const before = cluster.controller.history.all()[0]?.id
    const { page, complaints } = await signedIn(`/rollouts/${before}`, { viewport: { width: 1440, height: 900 } })
    await page.getByRole('heading', { level: 1, name: /completed after/ }).waitFor()
    await page.getByRole('link', { name: 'Rollouts' }).click()
    const id = await roll(second, patient)
    await page.getByRole('link', { name: 'shop aaaaaaa → bbbbbbb' }).click()
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/rollouts/${id}`)
    await page.getByRole('heading', { level: 1, name: /^shop aaaaaaa → bbbbbbb running, 0:\d\d/ }).waitFor()
    await page.getByText('listens, release bbbbbbb').waitFor()
    expect(await findings(page)).toEqual([])
    served.speed = 60
    await page.getByRole('heading', { level: 1, name: /completed after/ }).waitFor()
    served.speed = 1
    for (const machine of ['a', 'b']) {
      const lanes = page.getByRole('group', { name: `machine ${machine}`, exact: true }).getByRole('img')
      await expect.poll(() => lanes.getAttribute('aria-label')).toContain('bbbbbbb takes requests')
    }
    const crosshair = page.getByRole('slider')
    await crosshair.focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('PageUp')
    await expect
      .poll(() => crosshair.getAttribute('aria-valuetext'))
      .toMatch(/^\d\d:\d\d:\d\d, .* s, Requests\/s bbbbbbb/)
    await page.keyboard.press('v')
    await page.getByRole('region', { name: 'table of machines and phases' }).waitFor()
    expect(new URL(page.url()).searchParams.get('as')).toBe('table')
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.context().close()
  })

  it('rolls back, and aborts that, by keyboard only: the dialog says the steps and begins at the harmless button', async () => {
    bootMs = slowMs
    const { page, complaints } = await signedIn('/rollouts', { colorScheme: 'dark' })
    await page.getByRole('link', { name: 'shop aaaaaaa → bbbbbbb' }).focus()
    await page.keyboard.press('Enter')
    const back = page.getByRole('button', { name: 'Roll back', exact: true })
    await back.focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Roll back shop' })
    await dialog.getByText('shop rollback bbbbbbb2').waitFor()
    const focused = (): Promise<string | null> => page.locator(':focus').textContent()
    expect(await focused()).toBe('Leave it')
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Roll back')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /^shop bbbbbbb → aaaaaaa running/ }).waitFor()
    await page.getByText('Not now: this rollout runs. Abort does the same.').waitFor()
    await page.getByRole('button', { name: 'Abort', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByText('b was not touched and stays as it is.').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /aborted after/ }).waitFor()
    await page.getByText('So shop went back: bbbbbbb serves, as before.').waitFor()
    await page.getByText('Not possible: this rollout is over').waitFor()
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.context().close()
    bootMs = 2_000
  })

  it('tells a reader why nothing can be changed, and the cause with the last lines first', async () => {
    const id = await roll(bad)
    const { origin, hash } = new URL(await served.link({ role: 'reader', name: 'eyes' }))
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } })
    const { page, complaints } = await watched(context, origin)
    await page.goto(`${origin}/rollouts/${id}${hash}`)
    await page.getByRole('heading', { level: 1, name: /reverted after/ }).waitFor()
    await page.getByRole('log').getByText('no <b>SMTP_URL</b> in the environment').waitFor()
    expect(await page.getByRole('heading', { level: 2 }).first().innerText()).toMatch(/^Instance shop-\w+-a-1 /)
    const retry = page.getByRole('button', { name: 'Try again', exact: true })
    expect(await retry.getAttribute('aria-disabled')).toBe('true')
    expect(await page.getByText('Not possible: the token "eyes" only reads.').count()).toBeGreaterThan(0)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await context.close()
  })

  it('shows a service: its definition with defaults marked, and stops it by keyboard only', async () => {
    const { page, complaints } = await signedIn('/services/shop', { viewport: { width: 1440, height: 900 } })
    await page.getByRole('heading', { level: 1, name: /^shop ready on a and b/ }).waitFor()
    const definition = page.getByRole('region', { name: 'definition', exact: true })
    await definition.getByText('rollout.drain: 2s').waitFor()
    expect(await definition.innerText()).not.toContain('# default')
    await page.getByRole('button', { name: /^with defaults/ }).press('Enter')
    await definition.getByText('rollout.strategy: overlap # default').waitFor()
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Stop', exact: true }).press('Enter')
    await page.getByRole('dialog', { name: 'Stop shop' }).getByText('shop is being stopped').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /^shop stop completed after/ }).waitFor()
    await page.getByRole('link', { name: 'shop', exact: true }).press('Enter')
    await page.getByRole('heading', { level: 1, name: /^shop stopped/ }).waitFor()
    await page.getByRole('button', { name: 'Start', exact: true }).waitFor()
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await page.context().close()
  })
})
