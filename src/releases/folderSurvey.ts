import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import { fingerprint } from './fingerprint.ts'

export interface SurveyJob {
  root: string
  /** Gives up above this number of entries: somebody has filled the folder. */
  maxEntries: number
}

/**
 * Entries below a folder, by path relative to it; the folder itself has the empty path. `null`: more entries than
 * allowed.
 */
export type Survey = Found[] | null

export type Found =
  | { type: 'file'; path: string; mode: number; fingerprint: string }
  | { type: 'folder'; path: string; mode: number }
  | { type: 'link'; path: string; target: string }
  | { type: 'other'; path: string }

/** Looks at every name below a folder without opening a file. Synchronous, for worker threads. */
export function surveyFolder({ root, maxEntries }: SurveyJob): Survey {
  const found: Found[] = [look(root, '')]
  for (let next = 0; next < found.length; next++) {
    const folder = found[next] as Found // below the length
    if (folder.type !== 'folder') continue
    for (const name of namesIn(`${root}/${folder.path}`)) {
      if (found.length >= maxEntries) return null
      found.push(look(root, folder.path === '' ? name : `${folder.path}/${name}`))
    }
  }
  return found
}

/**
 * Returns no names for a folder that cannot be read or is gone: its content then counts as missing, which is all that
 * matters.
 */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function look(root: string, path: string): Found {
  const full = path === '' ? root : `${root}/${path}`
  const stats: BigIntStats | undefined = lstatSync(full, { bigint: true, throwIfNoEntry: false })
  if (!stats) return { type: 'other', path }
  const mode = Number(stats.mode & 0o7777n)
  if (stats.isFile()) return { type: 'file', path, mode, fingerprint: fingerprint(stats) }
  if (stats.isDirectory()) return { type: 'folder', path, mode }
  if (stats.isSymbolicLink()) return { type: 'link', path, target: readlinkSync(full) }
  return { type: 'other', path }
}
