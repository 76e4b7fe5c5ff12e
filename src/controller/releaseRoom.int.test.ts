import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { operations } from '../api/contract.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { describeFolder } from '../releases/describeFolder.ts'
import { DirectoryStore } from '../releases/directoryStore.ts'
import { objectKey } from '../releases/objectKey.ts'
import { publish } from '../releases/publish.ts'
import { ReleaseCollector } from './releaseCollector.ts'
import type { Controller } from './controller.ts'
import { ReleaseRoom } from './releaseRoom.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { aReport, deploy, makeFolder, obey, openController, quiet } from './testing/given.ts'

let folder: ReturnType<typeof makeFolder>
let controller: Controller
let store: DirectoryStore
let seq = 0

beforeEach(async () => {
  folder = makeFolder('release-room')
  controller = (await openController(folder.path)).controller
  await controller.lead()
  store = await DirectoryStore.open(join(folder.path, 'releases'))
})
afterEach(async () => {
  await controller.close()
  folder.remove()
})
const room = (capBytes: number | null = null, keepLast = 1, clock: Clock = systemClock): ReleaseRoom =>
  new ReleaseRoom({ controller, store, clock, capBytes, keepLast })

/** Each reading of the clock is an hour later, so no object is held for a push any more. */
function hourly(): Clock {
  let hours = 0
  return { ...systemClock, monotonic: () => ++hours * 3_600_000 }
}

async function push(
  into: ReleaseRoom,
  content: string,
  service = 'shop',
  origin: Parameters<ReleaseRoom['publish']>[1] = {},
): Promise<{ release: string; fresh: boolean }> {
  const source = join(folder.path, 'source')
  mkdirSync(source, { recursive: true })
  writeFileSync(join(source, 'server'), content)
  let published = { release: '', fresh: false }
  const description = await describeFolder(source, { definition: aDefinition({ service }) })
  await publish(description, {
    missing: (keys) => into.depot.missing(keys),
    put: (frames) => into.depot.put(frames),
    commit: async (manifest) => {
      published = await into.publish(Buffer.from(manifest).toString(), origin)
      return { id: published.release }
    },
  })
  return published
}

it('publishes a release once, and records the size of its tree', async () => {
  const releases = room()
  const first = await push(releases, 'x'.repeat(5_000))
  expect(first.fresh).toBe(true)
  expect(controller.releases.get(first.release)).toMatchObject({ service: 'shop', bytes: 5_000, collected: false })
  const { position } = controller.state
  expect(await push(releases, 'x'.repeat(5_000))).toEqual({ ...first, fresh: false })
  expect(controller.state.position).toBe(position)
})

it('records who published a release, and from which commit, outside the release', async () => {
  const source = { commit: 'c'.repeat(40), subject: '\u001b[2J<b>', dirty: true }
  const { release } = await push(room(), 'one', 'shop', { by: 'ci', source })
  expect(controller.releases.get(release)).toMatchObject({ by: 'ci', source })
  const [event] = await controller.log.search({ after: 0, before: 100 }, { types: ['ReleasePublished'] }, 1)
  expect(event).toMatchObject({ by: 'ci', data: { release, source } })
  // The same bytes are the same release, whoever publishes them from whatever commit.
  expect(await push(room(), 'one', 'shop', { by: 'ida', source: null })).toMatchObject({ release, fresh: false })
  expect(controller.releases.get(release)).toMatchObject({ by: 'ci', source })
  expect((await push(room(), 'two')).release).not.toBe(release)
  expect(controller.releases.all('shop').at(-1)).toMatchObject({ by: null, source: null })
})

it('takes no commit that is too long or has no id', () => {
  const { body } = operations.publishRelease
  const taken = (source: object): boolean => body.safeParse({ manifest: '', source }).success
  const source = { commit: 'c'.repeat(40), subject: 'x'.repeat(500), dirty: false }
  expect([taken(source), taken({ ...source, subject: 'x'.repeat(501) })]).toEqual([true, false])
  expect(taken({ ...source, commit: 'main' })).toBe(false)
})

it('finds a release by an unambiguous prefix, within its service', async () => {
  const releases = room()
  const published = await push(releases, 'one')
  expect(releases.resolve('shop', published.release.slice(0, 8))).toBe(published.release)
  expect(releases.resolve('other', published.release.slice(0, 8))).toBe(published.release.slice(0, 8))
  await push(releases, 'two')
  expect(() => releases.resolve(null, '')).toThrow(expect.objectContaining({ code: 'E_AMBIGUOUS' }))
})

/** Text that compresses to about two thirds of its length. */
const noise = (chars: number, step: number): string =>
  Array.from({ length: chars }, (_, index) => String.fromCharCode(33 + (((index * step) ^ (index >> 3)) % 90))).join('')

it('refuses a push that does not fit, and changes nothing', async () => {
  const releases = room(20_000)
  await push(releases, 'small')
  await expect(push(releases, noise(40_000, 7919))).rejects.toMatchObject({ code: 'E_STORE_FULL' })
  expect(Object.keys(controller.state.releases)).toHaveLength(1)
})

it('records in the log which releases it removed to make room for a push', async () => {
  const releases = room(40_000, 5, hourly())
  const first = await push(releases, noise(40_000, 7919))
  const second = await push(releases, noise(40_000, 7907))
  expect(Object.keys(controller.state.releases)).toEqual([second.release])
  expect(controller.releases.get(first.release)?.collected).toBe(true)
})

it('keeps a release to which a rollout starts during the collection', async () => {
  const releases = room(null, 0, hourly())
  await controller.report(aReport({ seq: ++seq }))
  const { release } = await push(releases, 'one')
  const collecting = releases.collect()
  await deploy(controller, 'r-late', release)
  await collecting
  expect(Object.keys(controller.state.releases)).toEqual([release])
  const manifest = objectKey('manifest', release)
  expect(await store.has([manifest])).toEqual(new Set([manifest]))
})

it('collects when a rollout has ended, keeps the running release and the one before, and records the removed ones', async () => {
  const releases = room(null, 0, hourly())
  const collector = new ReleaseCollector(controller, releases, quiet)
  try {
    await controller.report(aReport({ seq: ++seq }))
    const published: string[] = []
    for (const content of ['one', 'two', 'three', 'four']) {
      const { release } = await push(releases, content)
      published.push(release)
      await deploy(controller, `r-${content}`, release)
      for (let round = 0; round < 12; round++) await obey(controller, ['a'], () => ++seq)
      expect(controller.state.rollouts[`r-${content}`]?.outcome).toBe('completed')
      await collector.idle()
    }
    expect(Object.keys(controller.state.releases).toSorted()).toEqual(published.slice(2).toSorted())
    expect(controller.releases.get(published[0] ?? '')?.collected).toBe(true)
    await expect(deploy(controller, 'back', published[0])).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
  } finally {
    await collector.close()
  }
})
