import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { bundle } from '../packaging/bundle.ts'
import { launch, whyNoBrowser } from '../test/long/chromium.ts'
import { BusyStream } from './busyStream.ts'
import { firstLook, type FirstLook } from './firstLook.ts'
import { LiveReader } from './liveReader.ts'
import { frameLimitMs, longWatch } from './longWatch.ts'
import { median, quantile } from './median.ts'
import { PageCluster } from './pageCluster.ts'
import { pageSizes } from './pageSizes.ts'

/*
 * The cost of the page, in Chromium and in the controller, each figure with its limit:
 *   sizes    compressed bytes of the first load of each page
 *   heading  time until the overview's heading says the true state, at 1.6 Mbit/s, 150 ms and a quarter of the processor
 *   watch    frames and memory of an overview of 500 instances with 50 updates a second (MINUTES=10)
 *   readers  processor time of the controller for 20 readers of ten machines with 50 services (SECONDS=120)
 * ONLY=sizes,heading picks some; ROUNDS=9; VERBOSE=1 shows the requests before the heading. `make bench-numbers`
 * measures the cost of a reading for an agent.
 */

const only = process.env['ONLY']?.split(',') ?? ['sizes', 'heading', 'watch', 'readers']
const rounds = Number(process.env['ROUNDS'] ?? 9)
const minutes = Number(process.env['MINUTES'] ?? 10)
const seconds = Number(process.env['SECONDS'] ?? 120)
const isVerbose = process.env['VERBOSE'] === '1'
const [readers, updatesPerSecond] = [20, 50]

const missing = whyNoBrowser()
if (missing !== null) throw new Error(`there is no browser to measure in: ${missing}`)

const show = (what: string, value: string, limit = ''): void =>
  console.log(`${what.padEnd(62)} ${value.padStart(12)} ${limit === '' ? '' : `  at most ${limit}`}`.trimEnd())
const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`
const ms = (value: number): string => `${value.toFixed(0)} ms`

const { main } = await bundle(join(import.meta.dirname, '../tmp/bundle'))
const browser = await launch()
try {
  {
    await using pair = await PageCluster.start(main, { machines: 2, services: 12 })
    if (only.includes('sizes')) await sizes(browser, pair)
    if (only.includes('heading')) await headings(browser, pair, '12 services on 2 machines')
  }
  await using ten = await PageCluster.start(main, { machines: 10, services: 50 })
  if (only.includes('heading')) await headings(browser, ten, '50 services on 10 machines')
  if (only.includes('readers')) await readersOf(ten)
  if (only.includes('watch')) await watch(browser, ten)
} finally {
  await browser.close()
}

async function sizes(browser: Browser, cluster: PageCluster): Promise<void> {
  console.log('first load, compressed')
  for (const { path, bytes, files } of await pageSizes(browser, cluster)) {
    show(`  ${path} (${files} files)`, kilobytes(bytes), path === '/' ? '60 kB' : '100 kB')
  }
}

async function headings(browser: Browser, cluster: PageCluster, size: string): Promise<void> {
  console.log(`heading with the true state of ${size}, ${rounds} rounds: median and longest`)
  for (const by of ['session', 'link'] as const) {
    const looks: FirstLook[] = []
    for (let round = 0; round < rounds; round++) looks.push(await firstLook(browser, cluster, by))
    const times = looks.map(({ headingMs }) => headingMs)
    const words = by === 'link' ? 'by a link, not signed in before' : 'signed in before'
    show(`  ${words}`, `${ms(median(times))} ${ms(quantile(times, 1))}`, by === 'session' ? '1000 ms' : '')
    const last = looks.at(-1)
    if (isVerbose && last) showRequests(last)
  }
}

function showRequests({ requests }: FirstLook): void {
  console.log('    began   answered   read     bytes')
  for (const { path, beganAt, answeredAt, readUntil, bytes } of requests) {
    const times = [beganAt, answeredAt, readUntil].map((time) => (time === null ? '' : ms(time)).padStart(9))
    console.log(`${times.join('')} ${String(bytes).padStart(9)}  ${path}`)
  }
}

async function readersOf(cluster: PageCluster): Promise<void> {
  console.log(`processor time of the controller, 50 services on 10 machines, over ${seconds} s each`)
  const busy = async (): Promise<number> => {
    const before = cluster.cpuSeconds
    await pause(seconds * 1_000)
    return (100 * (cluster.cpuSeconds - before)) / seconds
  }
  const percent = (value: number): string => `${value.toFixed(2)} %`
  const rest = await busy()
  show('  while nobody looks', percent(rest))
  const keys = await Promise.all(Array.from({ length: readers }, () => cluster.session()))
  const reading: LiveReader[] = []
  const withReaders = async (count: number): Promise<void> => {
    while (reading.length < count) reading.push(new LiveReader(cluster.url, keys[reading.length] ?? ''))
    await pause(5_000)
    const before = reading.reduce((sum, { messages }) => sum + messages, 0)
    const looked = await busy()
    const messages = (reading.reduce((sum, one) => sum + one.messages, 0) - before) / count / seconds
    const limit = count === readers ? '2 %' : ''
    show(`  with ${count} readers, ${messages.toFixed(1)} messages a second to each`, percent(looked))
    show('    more than while nobody looks', percent(looked - rest), limit)
  }
  await withReaders(1)
  await withReaders(readers)
  for (const one of reading) await one.close()
}

async function watch(browser: Browser, cluster: PageCluster): Promise<void> {
  await using busy = await BusyStream.start(cluster.url, updatesPerSecond)
  const seen = await longWatch(browser, busy, await cluster.link(), minutes)
  const { updates, frames, late, gapMs, longestMs, heapBefore, heapAfter } = seen
  console.log(`overview of 500 instances, ${minutes} minutes, ${(updates / minutes / 60).toFixed(1)} updates a second`)
  show('  longest time between two frames', ms(gapMs), ms(frameLimitMs))
  show('  longest work for one frame', ms(longestMs), ms(frameLimitMs))
  show(`  frames over ${frameLimitMs} ms, of ${frames}`, String(late), '0')
  show('  heap before', megabytes(heapBefore))
  show('  heap grows by', megabytes(heapAfter - heapBefore), '20 MB')
}
