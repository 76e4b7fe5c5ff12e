import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { buildPage, builtPage } from '../packaging/page.ts'

const root = resolve(import.meta.dirname, '..')

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((file) => [file.slice(folder.length + 1), readFileSync(file, 'utf8')]),
  )

it('the kept page equals a fresh build (`make page` makes it)', async () => {
  const out = mkdtempSync(join(tmpdir(), 'tandem-page-'))
  try {
    await buildPage(out)
    const [fresh, kept] = [contents(out), contents(join(root, builtPage))]
    expect(Object.keys(kept)).toEqual(Object.keys(fresh))
    expect(Object.keys(fresh).filter((file) => fresh[file] !== kept[file])).toEqual([])
  } finally {
    rmSync(out, { recursive: true })
  }
})

/** Bytes of all files that a browser loads for a page: the ones that `entry` names, and all that those import. */
function loaded(files: Record<string, string>, entry: string, seen = new Set<string>()): Set<string> {
  const text = files[entry]
  if (text === undefined || seen.has(entry)) return seen
  seen.add(entry)
  const isPage = entry.endsWith('.html')
  const names = isPage ? text.matchAll(/(?:src|href)="\/([^"]+)"/g) : text.matchAll(/(?:import|from)"\.\/([^"]+)"/g)
  for (const [, name = ''] of names) loaded(files, isPage ? name : `assets/${name}`, seen)
  return seen
}

it('the first load of the overview is at most 60 kB, and of any page at most 100 kB, as browsers take them', () => {
  const kept = contents(join(root, builtPage))
  const size = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + brotliCompressSync(kept[name] ?? '').length, 0)
  const overview = loaded(kept, 'index.html')
  expect([...overview].some((name) => name.endsWith('.js'))).toBe(true)
  expect(size(overview)).toBeLessThan(60_000)
  for (const chunk of Object.keys(kept).filter((name) => name.endsWith('.js'))) {
    const page = new Set([...overview, ...loaded(kept, chunk)])
    expect([chunk, size(page) < 100_000]).toEqual([chunk, true])
  }
})
