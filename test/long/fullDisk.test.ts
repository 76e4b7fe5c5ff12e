import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openSmallDisk, whyNoSmallDisk, type SmallDisk } from '../../src/lib/testing/smallDisk.ts'
import { Laptop } from '../system/laptop.ts'
import { inOrder } from '../system/steps.ts'
import { ask, pushTalker, talkerFolder } from '../system/talker.ts'
import { Eyes, until } from '../system/watch.ts'

const diskBytes = 96 * 1_048_576
const why = whyNoSmallDisk('ext4')

describe.skipIf(why)(`a full disk${why ? ` (skipped: ${why})` : ''}`, () => {
  const step = inOrder()
  let laptop: Laptop
  let eyes: Eyes
  let disk: SmallDisk
  beforeAll(async () => {
    laptop = await Laptop.start({ prepare: (data) => void (disk = openSmallDisk('ext4', diskBytes, data)) })
    eyes = new Eyes(laptop)
    expect(await pushTalker(laptop, { name: 'shop', version: '1' })).toMatchObject({ exit: 0 })
  })
  afterAll(async () => {
    await laptop?.down()
    disk?.remove()
    await laptop?.remove()
  })

  const problems = async (): Promise<string[]> => (await eyes.status()).controller.problems
  const entry = (): string => laptop.entries['a'] ?? ''
  const healthz = async (): Promise<number> => (await fetch(`http://127.0.0.1:${laptop.port}/healthz`)).status

  step('is a problem of the controller while changes and pushes are refused, until there is space again', async () => {
    expect(await problems()).toEqual([])
    disk.fill()
    // The problem is reported before any request.
    expect(await problems()).toEqual([expect.stringMatching(/bytes are left on the disk of .*may not fit/)])
    expect(await healthz()).toBe(503)
    expect((await laptop.run('status')).out).toContainEqual(
      expect.stringMatching(/^! controller: only \d+ bytes are left on the disk of /),
    )
    const folder = talkerFolder(laptop, { name: 'shop', version: '2' })
    writeFileSync(join(folder, 'noise'), randomBytes(2_000_000))
    expect(await laptop.json('push', folder)).toMatchObject({ exit: 4, error: { code: 'E_STORE_FULL' } })
    disk.makeRoom()
    expect(await problems()).toEqual([])
    expect(await healthz()).toBe(200)
    expect(await laptop.json('push', folder)).toMatchObject({ exit: 0, rollout: { state: 'completed' } })
  })

  step('keeps neither a crashed instance nor an agent with its instances from starting', async () => {
    const instance = async () => (await eyes.service('shop')).instances.find(({ machine }) => machine === 'a')
    const { restarts = 0 } = (await instance()) ?? {}
    disk.fill()
    for (let times = 1; times <= 3; times++) {
      const before = await until('the instance runs', async () => (await instance())?.pid ?? false)
      process.kill(before, 'SIGKILL')
      const after = await until('the instance is ready again', async () => {
        const seen = await instance()
        return seen?.state === 'ready' && seen.pid !== before && seen
      })
      expect(after.restarts).toBe(restarts + times)
      expect((await ask(entry())).version).toBe('2')
    }
    process.kill(laptop.pidOf('a'), 'SIGKILL')
    await until('the service answers again', async () => (await ask(entry())).version === '2')
    disk.makeRoom()
    await until('there is no problem any more', async () => {
      const { controller, machines } = await eyes.status()
      return controller.problems.length === 0 && machines.every(({ problems: one }) => one.length === 0)
    })
    expect(await problems()).toEqual([])
  })
})
