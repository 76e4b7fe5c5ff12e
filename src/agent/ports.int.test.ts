import { afterEach, beforeEach, expect, it } from 'vitest'
import { AgentDisk } from './agentDisk.ts'
import { InstancePorts } from './ports.ts'
import { listen, makeFolder } from './testing/given.ts'

let folder: ReturnType<typeof makeFolder>
let range: { first: number; last: number }
let closers: (() => Promise<void>)[]

beforeEach(async () => {
  folder = makeFolder('ports')
  const free = await listen(() => 200)
  await free.close()
  // Below the ports that the system assigns, so that only this test uses them.
  const first = 12_000 + (free.port % 5_000)
  range = { first, last: first + 4 }
  closers = []
})
afterEach(async () => {
  for (const close of closers) await close()
  await folder.remove()
})

const atOnce = { write: (_what: string, write: () => void): void => write() }
const ports = (): InstancePorts => new InstancePorts(range, new AgentDisk(folder.path), atOnce)

it('gives no two instances the same port, also for concurrent requests', async () => {
  const one = ports()
  const given = await Promise.all(['v', 'w', 'x', 'y', 'z'].map((id) => one.take(id)))
  expect(given.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4].map((step) => range.first + step))
  await expect(one.take('too many')).rejects.toMatchObject({ code: 'E_PORT_TAKEN' })
})

it('gives an instance its port again while the instance keeps it', async () => {
  const one = ports()
  expect(await one.take('x')).toBe(await one.take('x'))
})

it('skips ports that another process has taken, and moves an instance whose port was taken meanwhile', async () => {
  closers.push((await listen(() => 200, range.first)).close)
  const one = ports()
  const second = await one.take('x')
  expect(second).toBe(range.first + 1)
  closers.push((await listen(() => 200, second)).close)
  expect(await one.take('x')).toBe(range.first + 2)
})

it('takes ports in a circle, so that a port just released is the last to be used again', async () => {
  const one = ports()
  const given: number[] = []
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
    given.push(await one.take(id))
    one.release(id)
  }
  expect(given).toEqual([0, 1, 2, 3, 4, 0].map((step) => range.first + step))
})

it('remembers the next port across a restart of the agent', async () => {
  await ports().take('x')
  expect(await ports().take('y')).toBe(range.first + 1)
})

it('gives no other instance the port of an adopted instance, also while the adopted instance restarts', async () => {
  const one = ports()
  await one.take('x')
  one.adopt('x', range.first + 1)
  const given = await Promise.all(['v', 'w', 'y', 'z'].map((id) => one.take(id)))
  expect(given).not.toContain(range.first + 1)
  one.release('x')
  expect(await one.take('u')).toBe(range.first + 1)
})
