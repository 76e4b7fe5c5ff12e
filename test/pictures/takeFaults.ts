import { join } from 'node:path'
import { whyNoLab } from '../lab/requirements.ts'
import { whyNoBrowser } from '../long/chromium.ts'
import { faults } from './faults.ts'
import { OnCallStage } from './onCallStage.ts'

/*
 * The second half of `make pictures`: takes those of docs/on-call.md again. The lab's pair meets one fault after the
 * other, and the overview that a person on call opens is the picture.
 */

const wide = { width: 1200, height: 800 }
const folder = join(import.meta.dirname, '../../docs/pictures')
/** A fault shows within seconds; its errors leave the numbers of the last minute after that. */
const patienceMs = 180_000

const why = whyNoBrowser() ?? whyNoLab()
if (why !== null) {
  console.log(`The pictures of docs/on-call.md stay as they are: ${why}.`)
  process.exit(0)
}
const stage = await OnCallStage.open()
try {
  const browser = await stage.engineer.browser()
  const page = await browser.newPage({ viewport: wide })
  page.setDefaultTimeout(patienceMs)
  await page.goto(await stage.engineer.link())
  await page.getByText(/^\W*live/).waitFor()
  const well = page.getByRole('heading', { level: 1 }).filter({ hasNotText: /problem/ })
  for (const { name, cause, repair, shows, height } of faults) {
    await well.waitFor()
    await cause(stage)
    for (const text of shows) await page.locator('.overview').getByText(text).first().waitFor()
    await page.screenshot({ path: join(folder, `${name}.png`), clip: { x: 0, y: 0, width: wide.width, height } })
    console.log(`${name}.png`)
    await repair(stage)
  }
  await browser.close()
} finally {
  await stage.close()
}
