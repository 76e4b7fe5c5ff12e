import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, CDPSession } from 'playwright-core'
import type { BusyStream } from './busyStream.ts'

export interface LongWatch {
  /** Longest time between two frames, and longest frame that the browser calls long, in ms. */
  gapMs: number
  longestMs: number
  /** Frames over 100 ms, and all frames. */
  late: number
  frames: number
  /** JavaScript and document, after a collection, in bytes. */
  heapBefore: number
  heapAfter: number
  /** Updates that the page was sent. */
  updates: number
}

/** Frames over this count as late. */
export const frameLimitMs = 100

const watching = `
  globalThis.watch = { gapMs: 0, longestMs: 0, late: 0, frames: 0 }
  let last = null
  const frame = (now) => {
    const gap = last === null ? 0 : now - last
    last = now
    watch.frames++
    watch.gapMs = Math.max(watch.gapMs, gap)
    if (gap > ${frameLimitMs}) watch.late++
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) watch.longestMs = Math.max(watch.longestMs, duration)
  }).observe({ type: 'long-animation-frame' })`

/** Looks at the busy overview for so long. The first load is not part of it. */
export async function longWatch(browser: Browser, busy: BusyStream, link: string, minutes: number): Promise<LongWatch> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  try {
    const page = await context.newPage()
    await page.goto(`${busy.origin}/#open=${link}`)
    await page.getByText(/^\W*live/).waitFor()
    await pause(5_000)
    const devtools = await context.newCDPSession(page)
    const heapBefore = await heapOf(devtools)
    await page.evaluate(watching)
    const before = busy.updates
    await pause(minutes * 60_000)
    const seen = (await page.evaluate('globalThis.watch')) as Pick<LongWatch, 'gapMs' | 'longestMs' | 'late' | 'frames'> // set by the script above
    const updates = busy.updates - before
    return { ...seen, updates, heapBefore, heapAfter: await heapOf(devtools) }
  } finally {
    await context.close()
  }
}

async function heapOf(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.enable')
  // The second one takes what the first one made free: nodes of the document, and objects that hold them.
  for (let round = 0; round < 2; round++) await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await devtools.send('Runtime.getHeapUsage')
  return usedSize + embedderHeapUsedSize + backingStorageSize
}
