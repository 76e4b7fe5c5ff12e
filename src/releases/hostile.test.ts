import { zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../lib/hash.ts'
import { findEscape } from './linkTarget.ts'
import { encodeManifest, parseManifest } from './manifest.ts'
import { decodeFrames, encodeFrames } from './objectFrames.ts'
import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { pack, unpack, unpackSync } from './packedObject.ts'
import { definition } from './releaseFixture.ts'
import { readListing } from './releaseListing.ts'
import { encodeTree, parseTree, type TreeEntry } from './tree.ts'

const id = sha256('x')
const file = (name: string, more: object = {}) => ({ type: 'file', name, mode: 0o644, size: 1, sha256: id, ...more })
const link = (name: string, target: string) => ({ type: 'link', name, target })
const wire = (...entries: object[]) => Buffer.from(JSON.stringify({ format: 1, entries }))

describe('a tree from the wire', () => {
  it('is accepted as it was encoded', () => {
    const entries = [{ type: 'folder', name: 'b', mode: 0o755, tree: id }, link('c', '../x'), file('a')] as TreeEntry[]
    expect(parseTree(encodeTree({ entries })).entries.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  const refused: Record<string, Buffer> = {
    'a name ..': wire(file('..')),
    'a name .': wire(file('.')),
    'an empty name': wire(file('')),
    'a slash in a name': wire(file('a/b')),
    'an absolute name': wire(file('/etc/passwd')),
    'a NUL in a name': wire(file('a\0b')),
    'a newline in a name': wire(file('a\nb')),
    'half a surrogate pair in a name': Buffer.from(
      wire(file('PLACE'))
        .toString()
        .replace('PLACE', String.raw`\ud800`),
    ),
    'a name too long': wire(file('n'.repeat(256))),
    'a name twice': wire(file('a'), file('a')),
    'a link and a folder of one name': wire(link('a', 'b'), { type: 'folder', name: 'a', mode: 0o755, tree: id }),
    'names out of order': wire(file('b'), file('a')),
    setuid: wire(file('a', { mode: 0o4755 })),
    'a mode that is text': wire(file('a', { mode: '644' })),
    'a negative size': wire(file('a', { size: -1 })),
    'a size that is not an integer': wire(file('a', { size: 1.5 })),
    'a size beyond all limits': wire(file('a', { size: 2 ** 52 })),
    'a large file without chunks': wire(file('a', { size: 2 ** 21 })),
    'a small file with chunks': wire(file('a', { chunks: [[id, 1]] })),
    'chunks that do not add up': wire(file('a', { size: 2 ** 21, chunks: [[id, 2 ** 20]] })),
    'a chunk too large': wire(file('a', { size: 2 ** 21, chunks: [[id, 2 ** 21]] })),
    'an absolute symlink': wire(link('a', '/etc')),
    'an empty symlink': wire(link('a', '')),
    'a NUL in a symlink': wire(link('a', 'b\0')),
    'a device': wire({ type: 'device', name: 'a' }),
    'another key': wire(file('a', { uid: 0 })),
    'keys in another order': wire({ name: 'a', type: 'file', mode: 0o644, size: 1, sha256: id }),
    'another format': Buffer.from('{"format":2,"entries":[]}'),
    spaces: Buffer.from('{"format":1, "entries":[]}'),
    'no JSON': Buffer.from('{'),
    null: Buffer.from('null'),
  }
  for (const [what, bytes] of Object.entries(refused)) {
    it(`is refused for ${what}`, () => {
      expect(() => parseTree(bytes)).toThrow(expect.objectContaining({ code: 'E_RELEASE_CONTENT' }))
    })
  }
})

describe('symlinks together', () => {
  const escapes = (links: Record<string, string>) => findEscape(new Map(Object.entries(links)))?.path ?? null

  it('may lead anywhere inside', () => {
    expect(escapes({ 'a/b': '../c', 'bin/x': '../lib/y/../z', loop: 'loop', dangling: 'nowhere/at/all' })).toBe(null)
  })
  it('may not lead out', () => {
    expect(escapes({ a: '..' })).toBe('a')
    expect(escapes({ 'a/b': '../../c' })).toBe('a/b')
    expect(escapes({ 'a/b': 'x/../../../c' })).toBe('a/b')
  })
  it('may not lead out through one another', () => {
    expect(escapes({ 'a/b/up': '../..', 'a/b/out': 'up/../x' })).toBe('a/b/out')
  })
})

describe('a release from the wire', () => {
  const objects = new Map<ObjectKey, Uint8Array>()
  const store = (entries: object[]): string => {
    const bytes = encodeTree({ entries: entries as TreeEntry[] })
    objects.set(objectKey('tree', sha256(bytes)), bytes)
    return sha256(bytes)
  }
  const list = (tree: string) =>
    readListing(tree, { get: (key) => Promise.resolve(objects.get(key) ?? Buffer.from('missing')) })
  const folder = (name: string, tree: string) => ({ type: 'folder', name, mode: 0o755, tree })

  it('is refused when a symlink leads out from a subfolder', async () => {
    const below = store([link('l', '../../etc')])
    await expect(list(store([folder('a', below)]))).rejects.toMatchObject({ code: 'E_RELEASE_CONTENT', subject: 'a/l' })
  })
  it('is refused when equal folders multiply without limit', async () => {
    let tree = store([file('a')])
    for (let depth = 0; depth < 40; depth++) tree = store([folder('x', tree), folder('y', tree)])
    await expect(list(tree)).rejects.toThrow('more than 1000000 entries')
  })
  it('is refused when it is nested too deeply', async () => {
    let tree = store([])
    for (let depth = 0; depth < 130; depth++) tree = store([folder('x', tree)])
    await expect(list(tree)).rejects.toThrow('nested deeper')
  })
  it('is refused when one chunk repeats into terabytes', async () => {
    const chunks = Array.from({ length: 65_536 }, () => [id, 2 ** 20])
    const huge = store([file('a', { size: 2 ** 36, chunks })])
    await expect(list(store([folder('x', huge), folder('y', huge)]))).rejects.toThrow('bytes')
  })
})

describe('a manifest from the wire', () => {
  const good = encodeManifest(definition, id)
  const changed = (change: (manifest: Record<string, unknown>) => void): Buffer => {
    const manifest = JSON.parse(good.toString()) as Record<string, unknown>
    change(manifest)
    return Buffer.from(JSON.stringify(manifest))
  }
  it('is accepted as it was encoded, with its environments', () => {
    expect(parseManifest(good)).toEqual({ format: 1, service: 'shop', definition, tree: id })
  })
  const refused: Record<string, Buffer> = {
    'another format': changed((manifest) => (manifest['format'] = 2)),
    'a tree that is not a hash': changed((manifest) => (manifest['tree'] = '../x')),
    'a service other than that of its definition': changed((manifest) => (manifest['service'] = 'other')),
    'an invalid definition': changed((manifest) => (manifest['definition'] = { service: 'shop' })),
    'a run that is text': changed((manifest) => (manifest['definition'] = { ...definition, run: 'sh' })),
    'another form': Buffer.from(`${good.toString()} `),
  }
  for (const [what, bytes] of Object.entries(refused)) {
    it(`is refused for ${what}`, () => {
      expect(() => parseManifest(bytes)).toThrow(expect.objectContaining({ code: 'E_RELEASE_CONTENT' }))
    })
  }
})

describe('a stream of objects', () => {
  const collect = async (body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    return Buffer.concat(pieces)
  }
  const decode = async (bytes: Buffer, pieceBytes = 7) => {
    const found = []
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    }
    for await (const object of decodeFrames(pieces())) found.push(object)
    return found
  }
  const content = Buffer.from('some content '.repeat(100))
  const make = async () =>
    collect(
      encodeFrames([
        await pack(objectKey('blob', sha256(content)), content),
        await pack(objectKey('blob', sha256('')), Buffer.alloc(0)),
      ]),
    )

  it('arrives unchanged, in pieces of any size', async () => {
    for (const pieceBytes of [1, 7, 100_000]) {
      const [first, second] = await decode(await make(), pieceBytes)
      expect(first && Buffer.from(await unpack(first))).toEqual(content)
      expect(second && (await unpack(second)).length).toBe(0)
    }
  })
  it('is refused when it is cut short anywhere', async () => {
    const whole = await make()
    for (let length = 0; length < whole.length; length++) {
      await expect(decode(whole.subarray(0, length), 1000), `${length}`).rejects.toMatchObject({ code: 'E_USAGE' })
    }
  })
  it('is refused when it is malformed, too long for its kind, or continues after its end', async () => {
    await expect(decode(Buffer.from('<html>not found</html>'))).rejects.toMatchObject({ code: 'E_USAGE' })
    const whole = await make()
    await expect(decode(Buffer.concat([whole, Buffer.of(1)]))).rejects.toMatchObject({ code: 'E_USAGE' })
    whole.writeUInt32BE(0xffffffff, 6)
    await expect(decode(whole)).rejects.toThrow('above the limit')
  })
})

describe('an object', () => {
  it('that would expand beyond its limit is refused without being decompressed', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(200_000_000))
    const object = { key: objectKey('blob', id), encoding: 'zstd', bytes: bomb } as const
    const before = process.memoryUsage().arrayBuffers
    expect(() => unpackSync(object)).toThrow(expect.objectContaining({ code: 'E_RELEASE_CORRUPT' }))
    await expect(unpack({ ...object, bytes: Buffer.concat([bomb, Buffer.alloc(20_000)]) })).rejects.toMatchObject({
      code: 'E_RELEASE_CORRUPT',
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000)
  })
  it('that does not match its key is refused', async () => {
    const object = await pack(objectKey('blob', id), Buffer.from('other'))
    await expect(unpack(object)).rejects.toMatchObject({ code: 'E_RELEASE_CORRUPT' })
  })
  it('has a key that consists of a kind and a hash only', () => {
    for (const key of ['blob/../../x', `blob/${id}x`, `BLOB/${id}`, id, '', `tree/${id.toUpperCase()}`]) {
      expect(() => splitKey(key), key).toThrow(expect.objectContaining({ code: 'E_USAGE' }))
    }
  })
})
