import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../lib/hash.ts'
import { describeFolder } from './describeFolder.ts'
import { encodeManifest, parseManifest, releaseIdOf } from './manifest.ts'
import { objectKey } from './objectKey.ts'
import { publish } from './publish.ts'
import { randomRun } from '../lib/testing/randomRun.ts'
import { ReleaseCache } from './releaseCache.ts'
import { definition, makeTestFolder, noise, openTestDepot, writeFiles } from './releaseFixture.ts'
import { removeTree } from './removeTree.ts'
import { encodeTree, parseTree } from './tree.ts'

type Plan = { file: Buffer; mode: number } | { link: string } | { folder: Record<string, Plan> }

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'index.js', 'ünïcode', 'with space', '-dash', 'é', '.hidden', '日本', '😀'),
  fc.stringMatching(/^[a-z0-9]{1,8}$/),
)
const file = fc.record({
  file: fc.oneof(
    { arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)), weight: 8 },
    fc
      .record({ bytes: fc.integer({ min: 1_048_570, max: 1_200_000 }), seed: fc.nat(999) })
      .map(({ bytes, seed }) => noise(bytes, seed)),
  ),
  mode: fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o777),
})
const { folder } = fc.letrec<{ folder: { folder: Record<string, Plan> }; entry: Plan }>((tie) => ({
  entry: fc.oneof(
    { depthSize: 'small' },
    file,
    fc.record({ link: fc.constantFrom('.', 'a', 'b/c', './x') }),
    tie('folder'),
  ),
  folder: fc.record({ folder: fc.dictionary(name, tie('entry'), { maxKeys: 6 }) }),
}))

async function write(path: string, plan: Plan): Promise<void> {
  if ('file' in plan) {
    await writeFile(path, plan.file)
    await chmod(path, plan.mode)
  } else if ('link' in plan) await symlink(plan.link, path)
  else {
    await mkdir(path, { recursive: true })
    for (const [name, below] of Object.entries(plan.folder)) await write(join(path, name), below)
  }
}

/** The part of a publisher's file mode that a release keeps: the execute permission. */
const released = (mode: number): number => ((mode & 0o100) === 0 ? 0o444 : 0o555)
const asItIs = (mode: number): number => mode & 0o7777

async function read(path: string, modeOf: (mode: number) => number): Promise<Record<string, unknown>> {
  const entries: Record<string, unknown> = {}
  for (const name of await readdir(path)) {
    const full = join(path, name)
    const stats = await lstat(full)
    if (stats.isSymbolicLink()) entries[name] = `-> ${await readlink(full)}`
    else if (stats.isDirectory()) entries[name] = await read(full, modeOf)
    else entries[name] = [modeOf(stats.mode), (await readFile(full)).toString('base64')]
  }
  return entries
}

describe('a release', () => {
  let root: string
  beforeAll(async () => {
    root = await makeTestFolder()
  })
  afterAll(() => removeTree(root))

  it('passes through describe, publish, fetch and materialise unchanged', async () => {
    const { seed, count: numRuns } = randomRun('trees', { check: 20, soak: 1_000 })
    const { depot, publishFolder } = await openTestDepot(join(root, 'store'))
    const cache = await ReleaseCache.open(join(root, 'cache'))
    const property = fc.asyncProperty(folder, async (plan) => {
      const source = join(root, 'source')
      await rm(source, { recursive: true, force: true })
      await write(source, plan)
      await rm(join(source, '.gitignore'), { recursive: true, force: true })
      const { id } = await publishFolder(source)
      await cache.fetch(id, depot)
      expect(await read(await cache.materialise(id), asItIs)).toEqual(await read(source, released))
      const again = await publishFolder(source)
      expect(again.id).toBe(id)
      expect(again.sentObjects).toBe(1)
    })
    await fc.assert(property, { seed, numRuns })
  }, 3_600_000)

  it('published when the whole file mode was kept is fetched and runs unchanged', async () => {
    const source = join(root, 'old')
    await writeFiles(source, { key: 'x', run: 'y' })
    const { depot } = await openTestDepot(join(root, 'old-store'))
    const now = await describeFolder(source, { definition })
    const [[key, tree] = []] = now.trees
    if (!key || !tree) throw new Error('a folder has a tree')
    const modes: Record<string, number> = { key: 0o640, run: 0o775 }
    const entries = parseTree(tree.bytes).entries.map((one) => ({ ...one, mode: modes[one.name] ?? 0 }))
    const bytes = encodeTree({ entries })
    const id = sha256(bytes)
    const manifestBytes = encodeManifest(definition, id)
    const old = {
      ...{ ...now, manifestBytes, manifest: parseManifest(manifestBytes), id: releaseIdOf(manifestBytes) },
      trees: new Map([[objectKey('tree', id), { bytes, children: tree.children }]]),
    }
    await publish(old, depot)
    const cache = await ReleaseCache.open(join(root, 'old-cache'))
    await cache.fetch(old.id, depot)
    expect(await read(await cache.materialise(old.id), asItIs)).toMatchObject({
      key: [0o440, 'eA=='],
      run: [0o555, 'eQ=='],
    })
  })
})
