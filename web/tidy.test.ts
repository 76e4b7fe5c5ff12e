import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  importCycles,
  longFunctions,
  parseSource,
  visit,
  type Imported,
  type ParsedSource,
} from '../src/lib/testing/parsedSource.ts'

const root = resolve(import.meta.dirname, '..')
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'web'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file) && existsSync(join(root, file)))
const product = tracked
  .filter((file) => !/\.test\.tsx?$|\/testing\/|vite\.config/.test(file))
  .map((file) => parseSource(root, file))

const target = ({ from, to }: Imported): string => relative(root, resolve(root, from, '..', to))
const folderOf = (file: string): string => file.split('/').slice(0, -1).join('/')
const imports = (parsed: ParsedSource[]): Imported[] => parsed.flatMap((one) => one.imports)

/** Packages that the page is made of. */
const packages = [
  'preact',
  'preact/hooks',
  '@preact/signals',
  '@preact/signals-core',
  'uplot',
  'uplot/dist/uPlot.min.css',
]

/** Code of `lib/` that imports nothing, as the same code for both sides. */
const standsAlone = (file: string): boolean =>
  file.startsWith('src/lib/') && parseSource(root, file).imports.length === 0

/** Files that hang features into the page: they alone import from the features' folders. */
const hangsIn = 'web/features.ts'

describe('the page', () => {
  it('imports from the product only types of the contract, and code that imports nothing, and only its own packages', () => {
    const wrong = imports(product).filter(({ from, to, typeOnly }) => {
      if (!to.startsWith('.')) return !packages.includes(to)
      const file = target({ from, to, typeOnly })
      return !file.startsWith('web/') && !(typeOnly && file.startsWith('src/api/')) && !standsAlone(file)
    })
    expect(wrong).toEqual([])
  })

  it('has features that know lib/ and nothing of each other', () => {
    const wrong = imports(product).filter((imported) => {
      if (!imported.to.startsWith('.') || imported.typeOnly) return false
      const [from, to] = [folderOf(imported.from), folderOf(target(imported))]
      if (from === to || to === 'web/lib' || to.startsWith('web/lib/') || !to.startsWith('web')) return false
      if (imported.from === hangsIn) return false
      return from === 'web/app' ? target(imported) !== hangsIn : true
    })
    expect(wrong).toEqual([])
  })

  it('has no import cycle, no long function, and never the type any', () => {
    const edges = new Map(
      product.map(({ file, imports: of }) => [
        file,
        of.filter(({ to, typeOnly }) => to.startsWith('.') && !typeOnly).map(target),
      ]),
    )
    const any: string[] = []
    for (const { file, program } of product) visit(program, ({ type }) => type === 'TSAnyKeyword' && any.push(file))
    expect([...importCycles(edges), ...product.flatMap((one) => longFunctions(one, 100)), ...any]).toEqual([])
  })

  it('writes no markup from text, and no style attribute, which its policy forbids', () => {
    const wrong = product.flatMap(({ file, source }) =>
      [...source.matchAll(/dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|\bstyle=["']|cssText|\beval\(/g)].map(
        ([found]) => `${file}: ${found}`,
      ),
    )
    expect(wrong).toEqual([])
  })
})
