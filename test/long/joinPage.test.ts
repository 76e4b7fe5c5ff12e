import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../system/laptop.ts'
import { newUser } from '../system/user.ts'
import { findings, launch, watched, whyNoBrowser } from './chromium.ts'

const missing = whyNoBrowser()

describe.skipIf(missing !== null)('the page of a machine that the cluster file names', () => {
  const { folder, tandem, paste, part, printed, remove } = newUser()
  let browser: Browser
  let port: number
  beforeAll(async () => {
    ;[port, browser] = await Promise.all([freePorts(5), launch()])
    const data = join(folder, 'controller')
    const own = ['--cluster', 'shop', '--data', data, '--port', String(port)]
    expect(await tandem('controller', 'init', ...own, '--address', '127.0.0.1', '--no-start')).toMatchObject({
      exit: 0,
    })
    await part('the controller listens', 'controller', 'run', ...own, '--host', '127.0.0.1')
    const file = join(folder, 'cluster.yaml')
    writeFileSync(
      file,
      `cluster: shop\ncontrollers: [127.0.0.1:${port}]\nmachines: { a: { address: 127.0.0.1 } }\nentry: { http: ${port + 1} }\n` +
        'drivers: { supervisor: process, balancer: embedded, address: none }\n',
    )
    expect(await tandem('cluster', 'apply', file)).toMatchObject({ exit: 0 })
  })
  afterAll(async () => {
    await browser?.close()
    await remove()
  })

  it('gives the command that joins it, and shows it arrive', async () => {
    const { out } = await printed('#open=', 'open', 'machines/a', '--no-browser', '--port', String(port + 4))
    const link = out.trim()
    const { page, complaints } = await watched(await browser.newContext(), new URL(link).origin)
    await page.goto(link)
    await page.getByRole('heading', { level: 1, name: 'Machine a has not joined' }).waitFor()
    await page.getByRole('button', { name: 'Join command', disabled: false }).click()
    await page.getByText('Run this as root on a, until').waitFor()
    expect(await findings(page)).toEqual([])
    const command = (await page.locator('.invited code').innerText()).replace(/^\$\s*/, '')
    expect(command).toMatch(/^tandem agent join 127\.0\.0\.1:\d+ --token tdj_\S+ --pin [0-9a-f]{64}$/)
    const data = join(folder, 'agent')
    expect(await paste(`${command} --data ${data} --no-start`)).toMatchObject({ exit: 0 })
    const ports = ['--forward-port', String(port + 2), '--metrics-port', String(port + 3)]
    await part('connected to the controller', 'agent', 'run', '--data', data, ...ports)
    await page.getByRole('heading', { level: 1, name: 'Machine a ready' }).waitFor()
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
