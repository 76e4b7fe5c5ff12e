import { dirname } from 'node:path'
import { packTar } from 'modern-tar'
import type { ShippedFile } from './shippedFile.ts'

interface Options {
  /** Prefix of every path: `tandem-0.1.0/`, `./usr/lib/tandem/`. */
  prefix: string
  /** Date in seconds since 1970. */
  date: number
  links?: Readonly<Record<string, string>>
}

type Entry = Parameters<typeof packTar>[0][number]

/**
 * A tar whose bytes depend only on its content: sorted, owned by root, all with one date. Folders precede their
 * content.
 */
export async function tarball(
  files: readonly ShippedFile[],
  { prefix, date, links = {} }: Options,
): Promise<Uint8Array> {
  const owner = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: new Date(date * 1000) }
  const entries = new Map<string, Entry>()
  const add = (name: string, entry: Entry): void => {
    if (entries.has(name)) throw new Error(`two entries have the name ${name}`)
    entries.set(name, entry)
  }
  for (const { path, content, executable } of files) {
    const name = `${prefix}${path}`
    const mode = executable ? 0o755 : 0o644
    add(name, { header: { name, size: content.byteLength, type: 'file', mode, ...owner }, body: content })
  }
  for (const [path, linkname] of Object.entries(links)) {
    const name = `${prefix}${path}`
    add(name, { header: { name, size: 0, type: 'symlink', linkname, mode: 0o777, ...owner } })
  }
  for (const folder of foldersOf([...entries.keys()])) {
    add(`${folder}/`, { header: { name: `${folder}/`, size: 0, type: 'directory', mode: 0o755, ...owner } })
  }
  // Sorts by code units, independent of this computer's language; `a/` comes before `a/b`.
  return packTar([...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry))
}

function foldersOf(names: readonly string[]): Set<string> {
  const folders = new Set<string>()
  for (const name of names) {
    for (let folder = dirname(name); folder !== '.' && folder !== '/'; folder = dirname(folder)) folders.add(folder)
  }
  if (names.some((name) => name.startsWith('./'))) folders.add('.')
  return folders
}
