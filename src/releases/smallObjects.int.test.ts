import { createHook } from 'node:async_hooks'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { describeFolder } from './describeFolder.ts'
import { DirectoryStore } from './directoryStore.ts'
import { fetchRelease } from './fetchRelease.ts'
import { publish } from './publish.ts'
import { openTestDepot } from './releaseFixture.ts'

let root: string
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'small-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Operations on files that wait for a thread, while `work` runs. */
async function waits(work: () => Promise<unknown>): Promise<number> {
  let begun = 0
  const hook = createHook({ init: (_id, type) => void (type.startsWith('FSREQ') && begun++) }).enable()
  try {
    await work()
  } finally {
    hook.disable()
  }
  return begun
}

it('a small file of a release waits for a thread once in each store: for its sync', async () => {
  const files = 600
  const folder = join(root, 'project')
  mkdirSync(folder)
  for (let n = 0; n < files; n++) writeFileSync(join(folder, `${n}.js`), `module.exports = ${n} // ${'x'.repeat(n)}\n`)
  const description = await describeFolder(folder, { definition: aDefinition(), cacheFolder: join(root, 'cache') })
  const { depot } = await openTestDepot(join(root, 'depot'))
  const cache = await DirectoryStore.open(join(root, 'agent'))
  const waited = [
    await waits(() => publish(description, depot)),
    await waits(() => fetchRelease(cache, depot, description.id)),
  ]
  // The folders of a store, at most 256 of a kind, are made, opened, synced and closed too.
  const ofFolders = 1_500
  expect(Math.max(...waited)).toBeLessThan(files + ofFolders)
})
