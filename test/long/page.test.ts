import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Laptop } from '../system/laptop.ts'
import { pageRequests } from './requests.ts'
import { findings, launch, watched, whyNoBrowser, type Watched } from './chromium.ts'

const missing = whyNoBrowser()
if (missing !== null) console.log(`the page is not tested in a browser: ${missing}`)

/** A wide and a narrow window, the same at 200 %, and forced colours, each light and dark. */
const views = [
  ['wide', { viewport: { width: 1440, height: 900 } }],
  ['narrow', { viewport: { width: 390, height: 844 } }],
  ['at 200 %', { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 }],
  ['with forced colours', { viewport: { width: 1440, height: 900 }, forcedColors: 'active' }],
] as const

describe.skipIf(missing !== null)('the page in a browser', () => {
  let cluster: Laptop
  let browser: Browser
  let origin: string
  beforeAll(async () => {
    ;[cluster, browser] = await Promise.all([Laptop.start({ machines: 2 }), launch()])
    origin = `http://tandem.localhost:${cluster.port}`
  })
  afterAll(async () => {
    await browser?.close()
    await cluster?.remove()
  })

  const link = async (path = '/', of = cluster): Promise<string> => {
    const opened = await of.json<{ link?: string }>('open', path, '--no-browser')
    expect(opened).toMatchObject({ exit: 0, shown: false })
    return opened.link ?? ''
  }

  /** A tab of a browser of its own, signed in. */
  async function signedIn(options: Parameters<Browser['newContext']>[0] = {}, path = '/'): Promise<Watched> {
    // A colour that is changing has no contrast yet.
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    const tab = await watched(context, origin)
    await tab.page.goto(await link(path))
    await tab.page.getByText(/^\W*live/).waitFor()
    return tab
  }

  const h1 = ({ page }: Watched): Promise<string> => page.locator('h1').innerText()

  it('opens by a link that works once, and keeps its secret out of address and history', async () => {
    const context = await browser.newContext()
    const tab = await watched(context, origin)
    const once = await link()
    await tab.page.goto(once)
    await tab.page.getByRole('heading', { level: 1, name: 'All well' }).waitFor()
    expect(tab.page.url()).toBe(`${origin}/`)
    expect(await tab.page.title()).toContain('All well')
    await tab.page.reload()
    await tab.page.getByRole('heading', { level: 1, name: 'All well' }).waitFor()
    expect(await context.cookies()).toEqual([])

    const other = await watched(await browser.newContext(), origin)
    await other.page.goto(once)
    await other.page.getByRole('heading', { level: 1, name: 'this link was used already; it works once' }).waitFor()
    expect(await other.page.locator('pre').innerText()).toBe('tandem open')
    expect([...tab.complaints, ...other.complaints]).toEqual([])
  })

  it('asks for the state in its first lines, and says it after three round trips and 45 kB', async () => {
    const tab = await signedIn()
    const devtools = await tab.page.context().newCDPSession(tab.page)
    await devtools.send('Network.setCacheDisabled', { cacheDisabled: true })
    const requests = await pageRequests(devtools)
    await tab.page.reload()
    await tab.page.getByRole('heading', { level: 1, name: 'All well' }).waitFor()
    const before = structuredClone(requests)
    expect(before.filter(({ path }) => path === '/api/v1/live').map(({ trips }) => trips)).toEqual([2])
    expect(before.filter(({ trips }) => trips > 3)).toEqual([])
    expect(before.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(45_000)
    await tab.page.context().close()
  })

  it('ends the former session of a browser when it opens another link', async () => {
    const tab = await signedIn()
    const former = await tab.page.evaluate<string>(`localStorage.getItem('tandem.session')`)
    const other = await watched(tab.page.context(), origin)
    await other.page.goto(await link())
    await other.page.getByText(/^\W*live/).waitFor()
    const status = `fetch('/api/v1/session', { headers: { authorization: 'Bearer ${former}' } }).then(({ status }) => status)`
    await expect.poll(() => other.page.evaluate(status)).toBe(401)
    // The tab from before goes on with the new session.
    await tab.page.bringToFront()
    await tab.page.reload()
    await tab.page.getByText(/^\W*live/).waitFor()
    expect([...tab.complaints, ...other.complaints]).toEqual([])
    await tab.page.context().close()
  })

  it('asks for a link without one, and tells nothing else', async () => {
    const tab = await watched(await browser.newContext(), origin)
    await tab.page.goto(`${origin}/services/shop`)
    await tab.page.getByRole('heading', { level: 1, name: 'You are not signed in' }).waitFor()
    expect(await tab.page.locator('body').innerText()).not.toContain('local')
    expect([...tab.complaints, ...(await findings(tab.page))]).toEqual([])
  })

  it.each(views)('has no finding of axe-core %s, light and dark', async (_, view) => {
    const tab = await signedIn(view)
    expect(await tab.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(view.viewport.width)
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.page.emulateMedia({ colorScheme })
      expect([colorScheme, ...(await findings(tab.page))]).toEqual([colorScheme])
    }
    await tab.page.keyboard.press('?')
    await tab.page.getByRole('dialog', { name: 'Keys' }).waitFor()
    expect([...(await findings(tab.page)), ...tab.complaints]).toEqual([])
    await tab.page.keyboard.press('Escape')
    await tab.page.getByRole('dialog').waitFor({ state: 'hidden' })
    await tab.page.keyboard.press('Control+k')
    await tab.page.getByRole('option', { name: 'Overview' }).waitFor()
    expect([...(await findings(tab.page)), ...tab.complaints]).toEqual([])
    await tab.page.keyboard.press('Escape')
    await tab.page.getByRole('dialog').waitFor({ state: 'hidden' })
    await tab.page.context().close()
  })

  it('lives over a killed controller: says as of when, and is live again by itself', async () => {
    const tab = await signedIn()
    process.kill(cluster.pidOf('controller'), 'SIGKILL')
    await tab.page.locator('.strip').waitFor()
    expect(await tab.page.locator('.strip').innerText()).toMatch(/^As of \d\d:\d\d:\d\d, .* ago\./)
    expect(await h1(tab)).toMatch(/^At \d\d:\d\d:\d\d: all well/)
    expect(await findings(tab.page)).toEqual([])
    expect(await tab.page.locator('.bar').innerText()).toContain('not live')
    await tab.page.locator('.strip').waitFor({ state: 'detached' })
    await tab.page.getByRole('heading', { level: 1, name: /^All well/ }).waitFor()
    expect(tab.complaints).toEqual([])
    await tab.page.context().close()
  })

  it('goes anywhere by the keyboard alone', async () => {
    const tab = await signedIn({}, 'nowhere')
    await tab.page.getByRole('heading', { level: 1, name: 'There is no page /nowhere' }).waitFor()
    await tab.page.keyboard.press('Control+k')
    await tab.page.locator('[role=combobox]:focus').waitFor()
    await tab.page.keyboard.type('over')
    await tab.page.getByRole('option', { name: 'Overview', selected: true }).waitFor()
    await tab.page.keyboard.press('Enter')
    await expect.poll(() => h1(tab)).toMatch(/^All well/)
    await expect.poll(() => tab.page.evaluate('document.activeElement.id')).toBe('main')
    await tab.page.goBack()
    await tab.page.getByRole('heading', { level: 1, name: 'There is no page /nowhere' }).waitFor()
    await tab.page.keyboard.type('go')
    await expect.poll(() => h1(tab)).toMatch(/^All well/)
    expect(tab.complaints).toEqual([])
    await tab.page.context().close()
  })

  it('lets no other site in: by a frame, a request, a form, or a name of its own for this computer', async () => {
    const seen: unknown[] = []
    const evil = createServer(({ headers }, response) => {
      if (seen.length === 0) seen.push(headers.cookie)
      response.setHeader('content-type', 'text/html').end(`<!doctype html><title>evil</title>
        <iframe name="frame" src="${origin}/"></iframe><form method="post" target="frame" action="${origin}/api/v1/sessions"></form>`)
    }).listen(0, '127.0.0.1')
    await once(evil, 'listening')
    const { port } = evil.address() as AddressInfo // it listens on TCP
    const tab = await signedIn()
    const context = tab.page.context()
    const neighbour = await context.newPage()
    // A service on another port of the same name.
    await neighbour.goto(`http://tandem.localhost:${port}/`)
    expect([await neighbour.evaluate('[document.cookie, localStorage.length]'), seen]).toEqual([['', 0], [undefined]])
    const other = await context.newPage()
    const said: string[] = []
    other.on('console', (message) => said.push(message.text()))
    await other.goto(`http://shop.localhost:${port}/`)
    await expect.poll(() => said.join(' ')).toContain("frame-ancestors 'none'")
    const asked = (init: string): Promise<unknown> =>
      other.evaluate(`fetch('${origin}/api/v1/status', ${init}).then(({ status }) => status, () => 'refused')`)
    expect(await asked('{}')).toBe('refused')
    expect(await asked("{ headers: { authorization: 'Bearer x' } }")).toBe('refused')
    expect(await asked("{ method: 'POST', mode: 'no-cors', credentials: 'include' }")).toBe(0)
    await other.evaluate('document.forms[0].submit()')
    // The browser knows this name for the address of the controller, as after DNS rebinding.
    const rebound = await other.goto(`http://evil.example:${cluster.port}/`)
    expect([rebound?.status(), await other.locator('body').innerText()]).toEqual([
      421,
      expect.stringContaining('tandem open'),
    ])
    expect(await h1(tab)).toMatch(/^All well/)
    await context.close()
    evil.close()
  })

  it('keeps two clusters apart, also when the second takes the port of the first', async () => {
    const tab = await signedIn()
    const context = tab.page.context()
    const second = await Laptop.start({ machines: 1 })
    const other = await watched(context, `http://tandem.localhost:${second.port}`)
    await other.page.goto(await link('/', second))
    const all = other.page.getByRole('heading', { level: 1, name: /^All well, 0 services on 1 machine/ })
    await all.waitFor()
    await other.page.getByRole('button', { name: 'tandem up' }).click()
    await other.page.getByRole('button', { name: 'Sign out' }).click()
    const signedOut = other.page.getByRole('heading', { level: 1, name: 'You are not signed in' })
    await signedOut.waitFor()
    expect(await h1(tab)).toMatch(/^All well, .* 2 machines/)
    // Only the fragment changes.
    await other.page.goto(await link('/', second))
    await all.waitFor()
    await second.remove()
    await other.page.locator('.strip').waitFor()
    const third = await Laptop.start({ machines: 1, port: second.port })
    await signedOut.waitFor()
    expect(await other.page.evaluate('localStorage.length')).toBe(0)
    expect([...tab.complaints, ...other.complaints]).toEqual([])
    await context.close()
    await third.remove()
  })

  it('reads one stream in two tabs, and passes it on when one is closed', async () => {
    const one = await signedIn()
    const context = one.page.context()
    const two = await watched(context, origin)
    let streams = 0
    two.page.on('request', (request) => {
      if (request.url().endsWith('/api/v1/live')) streams++
    })
    await two.page.goto(`${origin}/`)
    await two.page.getByRole('heading', { level: 1, name: 'All well' }).waitFor()
    expect(streams).toBe(0)
    await one.page.close()
    await expect.poll(() => streams).toBe(1)
    expect(await h1(two)).toMatch(/^All well/)
    await context.close()
  })

  it('shows who is signed in, and ends at once with the token', async () => {
    const create = ['controller', 'token', 'create', '--role', 'reader', '--name', 'guest']
    const { token } = await cluster.json<{ token: string }>(...create)
    const asGuest = { TANDEM_URL: `http://127.0.0.1:${cluster.port}`, TANDEM_TOKEN: token }
    Object.assign(cluster.env, asGuest)
    const tab = await signedIn().finally(() => {
      for (const name of Object.keys(asGuest)) delete cluster.env[name]
    })
    await tab.page.getByRole('button', { name: 'guest' }).click()
    await tab.page.getByText('sees everything and changes nothing').waitFor()
    expect(await findings(tab.page)).toEqual([])
    const { tokens } = await cluster.json<{ tokens: { id: string; name: string }[] }>('controller', 'token', 'list')
    await cluster.run('controller', 'token', 'revoke', tokens.find(({ name }) => name === 'guest')?.id ?? '')
    await tab.page.getByRole('heading', { level: 1, name: 'You are not signed in' }).waitFor()
    await tab.page.context().close()
  })
})
