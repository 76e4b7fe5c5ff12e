import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { bundle } from '../../packaging/bundle.ts'
import { CallersFile, inheritNothing, onlyThree } from '../system/inheritedFiles.ts'
import { Laptop } from '../system/laptop.ts'
import type { Pushed } from '../system/rollUnderLoad.ts'

it('the program as it ships needs nothing else: its cluster publishes, prepares, rolls out, answers, and inherits no open file', async () => {
  const dir = join(import.meta.dirname, `../../tmp/bundle-${process.pid}`)
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const { main } = await bundle(dir)
  const callers = new CallersFile()
  onTestFinished(() => callers.remove())
  const laptop = await Laptop.start({ main, inherited: callers.inherited })
  onTestFinished(() => laptop.remove())
  const definition = `service: web\nrun: [node, web.mjs]\n${process.platform === 'linux' ? inheritNothing : ''}\n`
  const pushed = await laptop.json<Pushed>('push', laptop.service('web', definition))
  expect(pushed, JSON.stringify(pushed)).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
  for (const entry of Object.values(laptop.entries)) expect((await fetch(entry)).status).toBe(200)
  const page = await fetch(`http://127.0.0.1:${laptop.port}/`, { headers: { accept: 'text/html' } })
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<div id="page">')])
  if (process.platform !== 'linux') return
  expect(await laptop.run('run', 'web', '--', 'sh', '-c', onlyThree)).toMatchObject({ code: 0 })
  const { holders, processes } = callers.holders(laptop)
  expect(holders).toEqual([])
  expect(processes).toBeGreaterThanOrEqual(5) // controller, 2 agents, 2 instances
})
