import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { describeFolder } from './describeFolder.ts'
import { DirectoryStore } from './directoryStore.ts'
import { publish, type Published } from './publish.ts'
import { ReleaseDepot, type DepotPolicy } from './releaseDepot.ts'
import type { ReleaseDescription } from './releaseDescription.ts'

/**
 * Common input of the tests in this folder: a definition, folders below the checkout's `tmp/`, a store with a depot.
 */
export const definition = aDefinition({ environments: { staging: { env: { LEVEL: 'debug' }, instances: 2 } } })

export async function makeTestFolder(): Promise<string> {
  const parent = join(import.meta.dirname, '../../tmp')
  await mkdir(parent, { recursive: true })
  return mkdtemp(join(parent, 'releases-'))
}

/** Writes files by path relative to `root`; a path that ends in a slash is an empty folder. */
export async function writeFiles(root: string, files: Record<string, string | Uint8Array>): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path)
    await mkdir(path.endsWith('/') ? full : dirname(full), { recursive: true })
    if (!path.endsWith('/')) await writeFile(full, content)
  }
}

export interface TestDepot {
  store: DirectoryStore
  depot: ReleaseDepot
  /** The policy that the depot uses; tests change it. */
  policy: DepotPolicy
  /** Whether a collection may remove the planned releases; tests change it. */
  letGo: (releases: readonly string[]) => boolean
  publishFolder: (folder: string, service?: string) => Promise<Published & { description: ReleaseDescription }>
}

export async function openTestDepot(
  root: string,
  { capBytes = null, clock = systemClock }: { capBytes?: number | null; clock?: Clock } = {},
): Promise<TestDepot> {
  const store = await DirectoryStore.open(root)
  const policy: DepotPolicy = { keep: new Set(), lastPerService: 5, published: [] }
  const asked = async (releases: readonly string[]): Promise<boolean> => test.letGo(releases)
  const depot = new ReleaseDepot({ store, clock, capBytes, policy: () => policy, letGo: asked })
  const test: TestDepot = {
    store,
    depot,
    policy,
    letGo: () => true,
    async publishFolder(folder, service = 'shop') {
      const description = await describeFolder(folder, { definition: { ...definition, service } })
      return { ...(await publish(description, depot)), description }
    },
  }
  return test
}

/** Bytes that look random, the same for the same seed: content that neither compresses nor repeats. */
export function noise(bytes: number, seed: number): Buffer {
  const content = Buffer.alloc(bytes)
  let state = seed * 2_654_435_761 + 1
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    content[at] = state
  }
  return content
}
