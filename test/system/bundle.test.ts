import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { bundle } from '../../packaging/bundle.ts'
import { Laptop } from './laptop.ts'
import type { Pushed } from './rollUnderLoad.ts'

it(
  'the bundle needs nothing else: a cluster from it publishes, rolls out and answers',
  { timeout: 60_000 },
  async () => {
    const dir = join(import.meta.dirname, `../../tmp/bundle-${process.pid}`)
    onTestFinished(() => rmSync(dir, { recursive: true }))
    const { main } = await bundle(dir)
    const laptop = await Laptop.start({ main })
    onTestFinished(() => laptop.remove())
    const pushed = await laptop.json<Pushed>('push', laptop.service('web', 'service: web\nrun: [node, web.mjs]\n'))
    expect(pushed.exit).toBe(0)
    for (const entry of Object.values(laptop.entries)) expect((await fetch(entry)).status).toBe(200)
  },
)
