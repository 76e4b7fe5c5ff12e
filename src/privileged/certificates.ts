import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../lib/durableFile.ts'
import { idOf } from './setUp.ts'

const mostFiles = 10_000
const mostBytes = 1024 * 1024

/**
 * Brings the PEM files for https to where HAProxy may read them, and takes away those that are no more. What cannot be brought
 * keeps no other from it: it is named at the end, and what HAProxy has of it goes on.
 */
export async function copyPublicCertificates(from: string, to: string, group: string): Promise<void> {
  const gid = await idOf('-g', group)
  if (!existsSync(to)) mkdirSync(to, { mode: 0o750 })
  const about = lstatSync(to)
  if (!about.isDirectory() || about.uid !== 0)
    throw new Error(`${to} is not a folder of root: it was put there by somebody`)
  chownSync(to, 0, gid)
  chmodSync(to, 0o750)
  // A folder that is replaced is away for a moment: nothing is taken away for that.
  if (!existsSync(from)) throw new Error(`${from} is not there`)
  const wanted = readdirSync(from).slice(0, mostFiles)
  const wrong: string[] = []
  for (const name of wanted) {
    try {
      copy(join(from, name), join(to, name), gid)
    } catch (error) {
      wrong.push(error instanceof Error ? error.message : String(error))
    }
  }
  for (const name of readdirSync(to)) if (!wanted.includes(name)) rmSync(join(to, name), { force: true })
  if (wrong.length > 0) throw new Error(wrong.join('; '))
}

function copy(source: string, target: string, gid: number): void {
  if (lstatSync(source).isDirectory()) return
  const about = statSync(source)
  if (!about.isFile()) throw new Error(`${source} leads to no file`)
  if (about.size > mostBytes) throw new Error(`${source} is too large for a certificate`)
  const text = readFileSync(source, 'utf8')
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileDurably(target, text, 0o640)
  chownSync(target, 0, gid) // the same bytes may be there from a copy that was killed before this
}
