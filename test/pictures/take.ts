import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { BrowserContextOptions } from 'playwright-core'
import type { Status } from '../../src/api/views.ts'
import { launch, whyNoBrowser } from '../long/chromium.ts'
import { Laptop } from '../system/laptop.ts'

/*
 * `make pictures`: takes the pictures of README and docs again, of a real pair with services under load: one that
 * crashes again and again, one that is rolled out just now, one whose last rollout was reverted.
 */

const patienceMs = 180_000
const folder = join(import.meta.dirname, '../../docs/pictures')

/** Answers in 20 ms, one request in fifty with 500; `/slow` takes 20 s, so that a drain can be seen. */
const healthy = `
require('http').createServer((request, response) => {
  if (Math.random() < 0.02) response.statusCode = 500
  setTimeout(() => response.end('ok'), request.url.endsWith('/slow') ? 20_000 : 20)
}).listen(process.env.PORT, process.env.HOST)`

/** Serves for a while, then fails. */
const crashing = `${healthy}
setTimeout(() => { console.error('FATAL index open: segment 41: checksum mismatch'); process.exit(1) }, 6_000)`

/** Who calls whom: a service comes after those that it uses. */
const uses: Record<string, string> = {
  payments: '[auth, { address: "api.stripe.com:443" }]',
  api: '[auth, payments, { service: queue, optional: true }]',
  shop: '[api, images]',
  site: '[api, images]',
}

const about: Record<string, string> = {
  payments: '{ owner: payments, what: Charges cards, runbook: "https://wiki.example.com/payments" }',
  shop: '{ owner: web, what: The web shop }',
  site: '{ owner: web, what: Pages and blog }',
}

const broken = `console.error('cannot read config/payments.json: no such file'); process.exit(1)`

const missing = whyNoBrowser()
if (missing !== null) {
  console.error(`make pictures needs a browser: ${missing}`)
  process.exit(1)
}
mkdirSync(folder, { recursive: true })
const cluster = await Laptop.start({ machines: 2 })
const browser = await launch()
const over = new AbortController()
try {
  for (const name of ['auth', 'images', 'payments', 'queue', 'api', 'shop', 'site']) await push(name, healthy)
  await push('search', crashing)
  await cluster.json('push', service('payments', broken))
  await cluster.json('stop', 'queue')
  void load(['api', 'auth', 'images', 'payments', 'search', 'shop', 'site'])
  await until('a crash loop', async () => (await instances('search')).some(({ restarts }) => restarts > 3))
  for (const at of Object.values(cluster.entries)) void fetch(`${at}/shop/slow`).catch(() => {})
  const rolling = cluster.json('push', service('shop', `${healthy} // another release`))
  await until('a drain', async () => (await instances('shop')).some(({ state }) => state === 'draining'))
  const { rollouts = [] } = await cluster.json<{ rollouts?: { id: string }[] }>('rollouts', 'shop', '--limit', '1')
  const wide = { width: 1440, height: 900 }
  await take('overview', '/', { viewport: wide, colorScheme: 'light' }, '.services tbody tr')
  await take('overview-phone', '/', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }, '.list > li')
  await take('rollout', `/rollouts/${rollouts[0]?.id}`, { viewport: wide, colorScheme: 'light' }, '.over-time canvas')
  await take('map', '/map', { viewport: wide, colorScheme: 'light' }, 'svg.map .node')
  await take('logs', '/logs/search', { viewport: wide, colorScheme: 'dark' }, '.scroller .row')
  await rolling
} finally {
  over.abort()
  await browser.close()
  await cluster.remove()
}

function service(name: string, program: string): string {
  const keys = Object.entries({ uses: uses[name], about: about[name] }).filter(([, value]) => value !== undefined)
  const more = keys.map(([key, value]) => `${key}: ${value}\n`).join('')
  const path = cluster.service(name, `service: ${name}\nrun: [node, main.cjs]\nroutes: [{ path: /${name} }]\n${more}`)
  writeFileSync(join(path, 'main.cjs'), program)
  return path
}

async function push(name: string, program: string): Promise<void> {
  const pushed = await cluster.json('push', service(name, program))
  if (pushed.exit !== 0) throw new Error(`${name} was not rolled out: ${JSON.stringify(pushed)}`)
}

async function instances(name: string): Promise<Status['services'][number]['instances']> {
  const { services = [] } = await cluster.json<Partial<Status>>('status', name)
  return services[0]?.instances ?? []
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const last = Date.now() + patienceMs
  while (!(await holds())) {
    if (Date.now() > last) throw new Error(`waited too long for ${what}`)
    await pause(200)
  }
}

/** Some requests to each service, through both machines, until the pictures are taken. */
async function load(names: string[]): Promise<void> {
  const entries = Object.values(cluster.entries)
  while (!over.signal.aborted) {
    const asked = names.flatMap((name, index) =>
      entries.flatMap((entry) => Array.from({ length: 1 + (index % 4) }, () => fetch(`${entry}/${name}`))),
    )
    await Promise.allSettled(asked.map(async (answer) => (await answer).text()))
    await pause(100)
  }
}

/** Takes a picture once `shown` is there. */
async function take(name: string, path: string, options: BrowserContextOptions, shown: string): Promise<void> {
  const context = await browser.newContext({ ...options, deviceScaleFactor: 1 })
  const page = await context.newPage()
  const { link = '' } = await cluster.json<{ link?: string }>('open', path, '--no-browser')
  await page.goto(link)
  await page.getByText(/^\W*live/).waitFor()
  await page.locator(shown).first().waitFor()
  await page.evaluate('document.fonts.ready')
  await page.screenshot({ path: join(folder, `${name}.png`) })
  await context.close()
}
