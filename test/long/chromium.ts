import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import type { AxeResults } from 'axe-core'
import { whyMissing } from '../../src/lib/testing/aptInstall.ts'
import { patienceMs } from '../../src/lib/testing/patience.ts'

/** The browser talks to nobody but the page: no updates, no synchronization, no other services of its maker. */
const quietly = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
  // A name that is not of this computer leads to it, as after DNS rebinding.
  '--host-resolver-rules=MAP evil.example 127.0.0.1',
]

/** Why no browser can be started here; `null`: Debian's Chromium is installed, or was just now. */
export const whyNoBrowser = (): string | null => whyMissing('chromium')

export const launch = (program = '/usr/bin/chromium'): Promise<Browser> =>
  chromium.launch({ executablePath: program, args: quietly, timeout: patienceMs })

/** A tab, with everything that it complained about. */
export interface Watched {
  page: Page
  /** Errors of scripts, violations of the policy, and requests to anybody but the page's own origin. */
  complaints: string[]
}

/** Opens a tab that records complaints. Failed requests of an outage are none. */
export async function watched(context: BrowserContext, origin: string): Promise<Watched> {
  const page = await context.newPage()
  page.setDefaultTimeout(patienceMs)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('console', (message) => {
    const text = message.text()
    if (/Content Security Policy|Trusted/i.test(text)) complaints.push(text)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) complaints.push(`request to ${request.url()}`)
  })
  return { page, complaints }
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Findings of axe-core on the page as it is now, each as its rule and the elements. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  const { violations } = await page.evaluate(
    () => (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(), // set by the line above
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}
