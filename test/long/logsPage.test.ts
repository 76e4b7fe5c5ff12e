import { readFileSync } from 'node:fs'
import type { Browser, Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { twelveServices } from '../web/scenario.ts'
import { ServedCluster } from '../web/servedCluster.ts'
import { findings, launch, watched, whyNoBrowser, type Watched } from './chromium.ts'

const missing = whyNoBrowser()
if (missing !== null) console.log(`the page of logs is not tested in a browser: ${missing}`)

describe.skipIf(missing !== null)('the page of logs', () => {
  let served: ServedCluster
  let browser: Browser
  beforeAll(async () => {
    ;[served, browser] = await Promise.all([ServedCluster.start(await twelveServices()), launch()])
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
  })

  const idOn = (machine: string, service: string): string =>
    served.cluster.instances(service).find((one) => one.machine === machine)?.id ?? ''
  const print = (machine: string, service: string, text: string, stream: 'out' | 'err' = 'out'): void =>
    served.cluster.machine(machine).supervisor.print(idOn(machine, service), stream, text)

  async function at(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
    const tab = await watched(context, `http://tandem.localhost:${served.port}`)
    await tab.page.goto((await served.link()).replace('/#', `${path}#`))
    await tab.page.getByText(/^\W*live/).waitFor()
    return tab
  }
  const rows = ({ page }: Watched): Locator => page.locator('.scroller .row')
  const texts = (tab: Watched): Promise<string[]> => tab.page.locator('.scroller .row .text').allInnerTexts()

  it('shows lines as they come, hostile ones as text, and one with everything around it', async () => {
    const tab = await at('/logs/api')
    await rows(tab).first().waitFor()
    // The counts come with the lines: they are read two frames after one has come.
    const linesOfA = "Number(document.querySelector('.fields.wide .count').innerText)"
    const before = await tab.page.evaluate<number>(linesOfA)
    const after = tab.page.evaluate<number>(`new Promise((done) => {
      const look = () => requestAnimationFrame(document.querySelector('.scroller').innerText.includes('one more')
        ? () => requestAnimationFrame(() => done(${linesOfA})) : look)
      look()
    })`)
    print('a', 'api', 'one more')
    expect(await after).toBe(before + 1)
    print('a', 'api', '\u001b[31mERROR\u001b[0m <script>alert(1)</script> \u202egnp.exe \u001b]0;title\u0007', 'err')
    print('b', 'api', 'x'.repeat(16_000))
    await tab.page.getByText('ERROR <script>alert(1)</script> ·gnp.exe').waitFor()
    await tab.page.getByText('16,000 characters').waitFor()
    await tab.page.getByRole('searchbox').fill('alert(')
    await expect.poll(() => rows(tab).count()).toBe(1)
    expect(await tab.page.locator('mark').innerText()).toBe('alert(')
    expect(tab.page.url()).toContain('find=alert')
    await rows(tab).first().click()
    await tab.page.getByText('The lines around it, all of them').waitFor()
    expect(await tab.page.locator('.open-row').innerText()).toContain(idOn('a', 'api'))
    expect([...(await findings(tab.page)), ...tab.complaints]).toEqual([])
    await tab.page.context().close()
  })

  it('says from when to when a machine was cut off, and puts its late lines where they belong', async () => {
    const tab = await at('/logs/auth')
    await rows(tab).first().waitFor()
    print('b', 'auth', 'before the cut')
    await tab.page.getByText('before the cut').waitFor()
    served.cluster.machine('b').line.set({ state: 'cut' })
    await tab.page
      .getByText(/Gap\. No lines of b since .* The machine keeps them; they come when it answers\./)
      .waitFor()
    print('b', 'auth', 'while it was cut off')
    const printed = served.cluster.controller.now()
    await expect.poll(() => served.cluster.controller.now()).toBeGreaterThan(printed)
    print('a', 'auth', 'meanwhile on a')
    await tab.page.getByText('meanwhile on a').waitFor()
    served.cluster.machine('b').line.set({ state: 'up' })
    await tab.page.getByText(/Gap\. b was cut off from .* Its lines of that time came late\./).waitFor()
    await tab.page.getByText('while it was cut off').waitFor()
    const newest = (await texts(tab)).slice(-3)
    expect(newest).toEqual(['before the cut', 'while it was cut off', 'meanwhile on a'])
    expect([...(await findings(tab.page)), ...tab.complaints]).toEqual([])
    await tab.page.context().close()
  })

  it('does not jump while somebody reads, counts new lines, and draws few of 60,000', async () => {
    const since = new Date(served.cluster.controller.now()).toISOString()
    for (let line = 0; line < 60_000; line++) print('a', 'queue', `line ${line}`)
    const tab = await at(`/logs/queue?since=${since}`)
    await tab.page.getByText('line 0', { exact: true }).waitFor()
    await tab.page.getByRole('button', { name: 'Follow', exact: true }).click()
    await tab.page.getByText('line 59999', { exact: true }).waitFor()
    expect(await rows(tab).count()).toBeLessThan(150)
    await tab.page.locator('.scroller').hover()
    await tab.page.mouse.wheel(0, -100_000)
    await tab.page.getByRole('button', { name: 'Follow', exact: true }).waitFor()
    await expect.poll(async () => (await texts(tab)).includes('line 59999')).toBe(false)
    const before = await texts(tab)
    for (let line = 0; line < 37; line++) print('b', 'queue', `new ${line}`)
    await tab.page.getByRole('button', { name: '37 new lines ↓' }).click()
    await tab.page.getByText('new 36', { exact: true }).waitFor()
    expect(before.every((text) => text.startsWith('line'))).toBe(true)
    const [download] = await Promise.all([
      tab.page.waitForEvent('download'),
      tab.page.getByRole('button', { name: 'Download' }).click(),
    ])
    const saved = readFileSync(await download.path(), 'utf8')
    expect([download.suggestedFilename(), saved.match(/ line \d+\n/g)?.length]).toEqual(['queue.log', 60_000])
    expect(tab.complaints).toEqual([])
    await tab.page.context().close()
  })

  it.each([
    ['wide', { colorScheme: 'light' }],
    ['narrow and dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ] as const)('begins with the last words of a failed instance and its reason, %s', async (_, options) => {
    const tab = await at(`/logs/search?instance=${idOn('b', 'search')}`, options)
    await tab.page.getByText('exited with status 1').waitFor()
    expect(await tab.page.getByRole('log').innerText()).toContain('FATAL index open: segment 41: checksum mismatch')
    await rows(tab).first().waitFor()
    expect([...(await findings(tab.page)), ...tab.complaints]).toEqual([])
    expect(await tab.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await tab.page.context().close()
  })

  it('takes eight tabs of one browser at once, over one stream', async () => {
    const tab = await at('/logs/site')
    await rows(tab).first().waitFor()
    const context = tab.page.context()
    const tabs = [tab]
    for (let count = 1; count < 8; count++) {
      const other = await watched(context, `http://tandem.localhost:${served.port}`)
      let streams = 0
      other.page.on('request', (request) => (streams += Number(request.url().endsWith('/api/v1/live'))))
      await other.page.goto(`http://tandem.localhost:${served.port}/logs/site?machine=${count % 2 === 0 ? 'a' : 'b'}`)
      await rows(other).first().waitFor()
      expect(streams).toBe(0)
      tabs.push(other)
    }
    print('a', 'site', 'for all that follow a')
    print('b', 'site', 'for all that follow b')
    for (const [index, one] of tabs.entries()) {
      await one.page.getByText(`for all that follow ${index % 2 === 0 ? 'a' : 'b'}`).waitFor()
    }
    expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([])
    await context.close()
  })
})
