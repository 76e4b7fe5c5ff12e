import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { makeDistribution } from '../../packaging/distribution.ts'
import { exec, execOrThrow } from '../../src/lib/exec.ts'
import { sha256 } from '../../src/lib/hash.ts'
import { changedCheckout, type Edit } from './changedBuild.ts'
import { exclusive } from './exclusive.ts'
import { labFolder } from './lab.ts'
import { previousCheckout } from './previousBuild.ts'

const checkout = join(import.meta.dirname, '../..')
/** Everything that a build of this checkout is made from. */
const sources = [
  'src',
  'packaging',
  'web',
  'docs',
  'examples',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'package.json',
  'package-lock.json',
]
const buildMs = 900_000
/** Each takes about 200 MB. */
const mostKept = 8

/** A build for machines of this architecture: of this checkout, of another commit, or of this checkout with changes. */
export interface Wanted {
  version?: string
  commit?: string
  edits?: readonly Edit[]
}

export interface Build {
  /** Debian package. */
  debian: string
  /** Folder of the program, as unpacked from the archive. */
  program: string
}

/** Makes the build, unless it was made on this computer before: the tests of a run share it, and older commits stay. */
export async function buildOf(wanted: Wanted): Promise<Build> {
  const folder = join(labFolder, 'builds')
  mkdirSync(folder, { recursive: true })
  const lock = await exclusive(join(folder, 'lock'), buildMs)
  if (!lock) throw new Error(`another build in ${folder} has not ended within ${buildMs} ms`)
  try {
    const made = join(folder, await keyOf(wanted))
    if (existsSync(made)) utimesSync(made, new Date(), new Date())
    else await make(wanted, made, folder)
    removeOld(folder)
    return { debian: debianIn(made), program: join(made, 'program') }
  } finally {
    await lock.release()
  }
}

async function make(wanted: Wanted, made: string, folder: string): Promise<void> {
  // This process holds the lock, so any leftover is from a build that was killed.
  for (const name of readdirSync(folder)) if (name.startsWith('work-')) rmSync(join(folder, name), { recursive: true })
  const work = mkdtempSync(join(folder, 'work-'))
  const out = join(work, 'out')
  mkdirSync(out)
  const about = { root: await rootOf(wanted, work), out, architectures: [process.arch], env: process.env, quick: true }
  const { version } = wanted
  const { archives, packages } = await makeDistribution(version === undefined ? about : { ...about, version })
  const [archive = '', debian = ''] = [archives[0], packages[0]]
  await execOrThrow(['tar', '-xzf', archive, '-C', out])
  const ready = join(work, 'ready')
  mkdirSync(ready)
  renameSync(archive.replace('.tar.gz', ''), join(ready, 'program'))
  renameSync(debian, join(ready, basename(debian)))
  renameSync(ready, made)
  rmSync(work, { recursive: true })
}

async function rootOf({ commit, edits }: Wanted, work: string): Promise<string> {
  if (edits) return changedCheckout(checkout, join(work, 'changed'), edits)
  if (commit === undefined) return checkout
  return previousCheckout(checkout, work, commit)
}

async function keyOf(wanted: Wanted): Promise<string> {
  const { commit } = wanted
  // The packaging is always that of this checkout.
  const listed = await exec(['git', '-C', checkout, 'ls-files', '-z', '-co', '--exclude-standard', '--', ...sources])
  const files = listed.out.split('\0').filter((file) => existsSync(join(checkout, file)) && file !== '')
  const used = commit === undefined ? files : files.filter((file) => file.startsWith('packaging/'))
  const contents = used.sort().map((file) => `${file} ${sha256(readFileSync(join(checkout, file)))}`)
  return sha256(JSON.stringify([wanted, process.arch, contents])).slice(0, 24)
}

function removeOld(folder: string): void {
  const age = (name: string): number => statSync(join(folder, name)).mtimeMs
  const builds = readdirSync(folder).filter((name) => name !== 'lock')
  for (const name of builds.toSorted((one, other) => age(other) - age(one)).slice(mostKept))
    rmSync(join(folder, name), { recursive: true })
}

function debianIn(made: string): string {
  const name = readdirSync(made).find((file) => file.endsWith('.deb'))
  if (name === undefined)
    throw new Error(`${made} contains no Debian package; remove this folder, and run the test again`)
  return join(made, name)
}
