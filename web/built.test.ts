import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
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
