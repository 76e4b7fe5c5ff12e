import { writeFileSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { sha256 } from '../lib/hash.ts'
import { chunkBytes, cutAfter } from './chunker.ts'
import { hashFile } from './fileHashing.ts'
import { fingerprint } from './fingerprint.ts'
import { makeTestFolder, noise } from './releaseFixture.ts'
import { removeTree } from './removeTree.ts'

function cut(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let start = 0; start < bytes.length;) {
    const end = cutAfter(bytes, start, bytes.length)
    chunks.push(bytes.subarray(start, end))
    start = end
  }
  return chunks
}

const base = noise(6_000_000, 42)
const ids = (chunks: Buffer[]): Set<string> => new Set(chunks.map((chunk) => sha256(chunk)))

describe('chunks', () => {
  it('have sizes within the limits and close to the average', () => {
    const chunks = cut(noise(20_000_000, 1))
    for (const chunk of chunks.slice(0, -1)) {
      expect(chunk.length).toBeGreaterThan(chunkBytes.min)
      expect(chunk.length).toBeLessThanOrEqual(chunkBytes.max)
    }
    const average = 20_000_000 / chunks.length
    expect(average).toBeGreaterThan(chunkBytes.average * 0.7)
    expect(average).toBeLessThan(chunkBytes.average * 1.6)
  })

  it('of uniform bytes end at the maximum', () => {
    expect(cut(Buffer.alloc(3_000_000)).map(({ length }) => length)).toEqual([1_048_576, 1_048_576, 902_848])
  })

  it('are part of the format: the cuts of known bytes never change', () => {
    expect(cut(base.subarray(0, 1_500_000)).map(({ length }) => length)).toMatchInlineSnapshot(`
      [
        365939,
        270410,
        444822,
        370507,
        48322,
      ]
    `)
  })

  it('stay the same away from an insertion or a removal', () => {
    const { seed, count: numRuns } = randomRun('cuts', { check: 30, soak: 1_000 })
    const before = ids(cut(base))
    const changed: number[] = []
    const property = fc.property(fc.nat(base.length), fc.nat(5000), fc.nat(5000), (at, removed, inserted) => {
      const edited = Buffer.concat([base.subarray(0, at), noise(inserted, at + 1), base.subarray(at + removed)])
      changed.push([...ids(cut(edited))].filter((id) => !before.has(id)).length)
      // How soon the cuts are the same again is chance: seldom after more than five, of 18.
      expect(changed.at(-1)).toBeLessThanOrEqual(9)
    })
    fc.assert(property, { seed, numRuns })
    expect(changed.reduce((sum, count) => sum + count, 0) / changed.length).toBeLessThan(2.5)
  }, 3_600_000)
})

describe('the hash of a file', () => {
  let root: string
  beforeAll(async () => {
    root = await makeTestFolder()
  })
  afterAll(() => removeTree(root))

  it('has the chunks of its whole content although the file is read in pieces', async () => {
    const path = join(root, 'large')
    const content = noise(19_000_000, 9)
    writeFileSync(path, content)
    const stats = await lstat(path, { bigint: true })
    const result = hashFile({ path, size: content.length, fingerprint: fingerprint(stats) })
    expect(result).toEqual({
      sha256: sha256(content),
      chunks: cut(content).map((chunk) => [sha256(chunk), chunk.length]),
    })
  })

  it('is refused for a file that changed since the walk', async () => {
    const path = join(root, 'changing')
    writeFileSync(path, 'before')
    const stats = await lstat(path, { bigint: true })
    writeFileSync(path, 'after it')
    expect(hashFile({ path, size: 6, fingerprint: fingerprint(stats) })).toEqual({ changed: true })
  })
})
