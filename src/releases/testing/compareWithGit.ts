import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../lib/testing/seededRandom.ts'
import { readIgnoreRules, type IgnoreRules } from '../ignoreRules.ts'
import { randomIgnoreFile, randomName, type Random } from './randomIgnoreFile.ts'

/** Paths are bytes here, one character each, as git prints them. */
const raw = (path: string): Buffer => Buffer.from(path, 'latin1')
const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

interface Entry {
  path: string
  isFolder: boolean
}

function entriesOf(top: string, folder = ''): Entry[] {
  const found = readdirSync(raw(below(top, folder)), { withFileTypes: true, encoding: 'buffer' })
  return found.flatMap((entry: Dirent<Buffer>) => {
    const path = below(folder, entry.name.toString('latin1'))
    const isFolder = entry.isDirectory()
    return [{ path, isFolder }, ...(isFolder ? entriesOf(top, path) : [])]
  })
}

/** For each path the pattern that decides, and its position; empty if no pattern decides. */
function decidedByGit(gitFolder: string, top: string, entries: readonly Entry[]): Map<string, string> {
  const config = ['-c', 'core.ignoreCase=false', '-c', 'core.excludesFile=/dev/null']
  const asked = ['check-ignore', '--no-index', '--stdin', '-z', '--verbose', '--non-matching']
  const { stdout, stderr, status } = spawnSync(
    'git',
    [...config, `--git-dir=${gitFolder}`, `--work-tree=${top}`, ...asked],
    { cwd: top, input: raw(entries.map(({ path }) => `./${path}\0`).join('')) },
  )
  if (status !== 0 && status !== 1) throw new Error(`git ended with ${status}: ${String(stderr)}`)
  const fields = stdout.toString('latin1').split('\0')
  return new Map(
    entries.map(({ path }, index) => {
      const [file = '', line = '', pattern = '', named] = fields.slice(4 * index, 4 * index + 4)
      if (named !== `./${path}`) throw new Error(`git answered for ${named} instead of ${path}`)
      return [path, pattern === '' ? '' : `${pattern} (${file}:${line})`]
    }),
  )
}

const leavesOut = (decided: string): boolean => decided !== '' && !decided.startsWith('!')

async function leftOutByUs(top: string, entries: readonly Entry[]): Promise<string[]> {
  const rulesIn = new Map<string, IgnoreRules>([['', await readIgnoreRules(top, () => {})]])
  const out = new Set<string>()
  for (const { path, isFolder } of entries) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const rules = rulesIn.get(parent)
    if (out.has(parent) || (rules?.ignores(path, isFolder) ?? false)) out.add(path)
    else if (isFolder && rules) rulesIn.set(path, await rules.enter(raw(path).toString()))
  }
  return [...out]
}

interface Compared {
  leftOut: string[]
  /** Paths for which git and Tandem differ, with git's deciding pattern. */
  differ: Record<string, string>
}

export async function compareWithGit(gitFolder: string, top: string, entries = entriesOf(top)): Promise<Compared> {
  const git = decidedByGit(gitFolder, top, entries)
  const ours = new Set(await leftOutByUs(top, entries))
  const differ = [...git].filter(([path, decided]) => leavesOut(decided) !== ours.has(path))
  return { leftOut: [...ours].toSorted(), differ: Object.fromEntries(differ) }
}

const isUtf8 = (name: string): boolean =>
  raw(raw(name).toString()).toString('latin1') !== '' && raw(name).equals(Buffer.from(raw(name).toString()))

function growTree(random: Random, top: string, folder: string, depth: number): void {
  if (random() < (depth === 0 ? 0.9 : 0.5))
    writeFileSync(raw(below(top, below(folder, '.gitignore'))), raw(randomIgnoreFile(random)))
  const names = new Set(Array.from({ length: 2 + Math.floor(random() * 5) }, () => randomName(random)))
  for (const name of names) {
    const path = below(folder, name)
    const kind = random()
    if (kind < 0.4 && depth < 3 && isUtf8(name)) {
      mkdirSync(raw(below(top, path)))
      growTree(random, top, path, depth + 1)
    } else if (kind < 0.5) symlinkSync('..', raw(below(top, path)))
    else writeFileSync(raw(below(top, path)), '')
  }
}

/** Makes a repository without any ignore rules. */
export function emptyRepository(root: string): string {
  const gitFolder = join(root, 'repository')
  execFileSync('git', ['init', '--quiet', '--bare', '--template=', gitFolder])
  return gitFolder
}

/** Compares `sets` random trees below `root` with git; differences are listed under the seed of their tree. */
export async function compareRandomTrees(
  root: string,
  { sets, seed }: { sets: number; seed: number },
): Promise<{ asked: number; leftOut: number; differ: Record<string, Compared['differ']> }> {
  const gitFolder = emptyRepository(root)
  const all = { asked: 0, leftOut: 0, differ: {} as Record<string, Compared['differ']> }
  for (let set = 0; set < sets; set++) {
    const top = mkdtempSync(join(root, 'set-'))
    growTree(seededRandom(seed + set), top, '', 0)
    const entries = entriesOf(top)
    const { differ, leftOut } = await compareWithGit(gitFolder, top, entries)
    if (Object.keys(differ).length > 0) all.differ[`TANDEM_SEED=${seed + set} TANDEM_IGNORE_SETS=1`] = differ
    all.asked += entries.length
    all.leftOut += leftOut.length
    rmSync(top, { recursive: true })
  }
  console.log(`ignore files: seed ${seed}, ${sets} sets, ${all.asked} paths, ${all.leftOut} left out`)
  return all
}
