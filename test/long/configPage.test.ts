import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { twelveServices } from '../web/scenario.ts'
import { ServedCluster } from '../web/servedCluster.ts'
import { findings, launch, watched, whyNoBrowser } from './chromium.ts'

const missing = whyNoBrowser()
if (missing !== null) console.log(`the configuration on the page is not tested in a browser: ${missing}`)

describe.skipIf(missing !== null)('the configuration of a service on its page', () => {
  let served: ServedCluster
  let browser: Browser
  beforeAll(async () => {
    const cluster = await twelveServices()
    const config = { WORKERS: { type: 'integer' as const, default: '4' }, DEBUG: { type: 'boolean' as const } }
    await cluster.push('5e77106', { service: 'settings', listen: 'none', config })
    ;[served, browser] = await Promise.all([ServedCluster.start(cluster), launch()])
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  const newest = (): Record<string, string> | undefined =>
    served.cluster.controller.state.configs['settings']?.at(-1)?.values

  it('is set and undone, each after a look at the difference', async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    const { page, complaints } = await watched(context, `http://tandem.localhost:${served.port}`)
    await page.goto((await served.link()).replace('/#', '/services/settings#'))
    const section = page.locator('section', { has: page.getByRole('heading', { level: 2, name: /^Configuration/ }) })
    await section.getByText('4 default').waitFor()
    await section.getByRole('combobox', { name: 'setting' }).selectOption('WORKERS')
    await section.getByRole('textbox', { name: 'value' }).fill('many')
    await section.getByText('WORKERS is an integer, not "many"').waitFor()
    expect(await findings(page)).toEqual([])

    for (const value of ['8', '9']) {
      await section.getByRole('textbox', { name: 'value' }).fill(value)
      await section.getByRole('button', { name: 'Set', exact: true, disabled: false }).click()
      const dialog = page.getByRole('dialog', { name: 'Set WORKERS of settings' })
      await dialog.getByText(`→ "${value}"`).waitFor()
      await dialog.getByText(`tandem config set settings WORKERS=${value}`).waitFor()
      await dialog.getByRole('button', { name: 'Set', exact: true }).click()
      await expect.poll(newest).toEqual({ WORKERS: value })
      await section.getByRole('cell', { name: value, exact: true }).first().waitFor()
    }

    await section.getByRole('button', { name: 'Undo', exact: true, disabled: false }).click()
    const undo = page.getByRole('dialog', { name: 'Undo configuration 2 of settings' })
    await undo.getByText('WORKERS: "9" → "8"').waitFor()
    await undo.getByRole('button', { name: 'Undo', exact: true }).click()
    await expect.poll(newest).toEqual({ WORKERS: '8' })
    await section.getByRole('cell', { name: 'WORKERS: "9" → "8"' }).waitFor()
    expect([...(await findings(page)), ...complaints]).toEqual([])
    await context.close()
  })
})
