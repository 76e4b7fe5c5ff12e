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
import { writeFileDurably } from '../../lib/durableFile.ts'
import { idOf } from '../../lib/accounts.ts'

const mostFiles = 10_000
const mostBytes = 1024 * 1024

/**
 * Copies the PEM files for HTTPS to the folder that HAProxy may read, and removes copies whose source is gone. A file
 * that cannot be copied does not keep the others from being copied: it is named at the end, and HAProxy keeps its last
 * copy.
 */
export async function copyPublicCertificates(from: string, to: string, group: string): Promise<void> {
  const gid = await idOf('-g', group)
  if (!existsSync(to)) mkdirSync(to, { mode: 0o750 })
  const about = lstatSync(to)
  if (!about.isDirectory() || about.uid !== 0)
    throw new Error(`${to} is not a folder owned by root: another user has put it there`)
  chownSync(to, 0, gid)
  chmodSync(to, 0o750)
  // A folder that is being replaced is missing for a moment: that must not remove any copies.
  if (!existsSync(from)) throw new Error(`${from} does not exist`)
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
  if (!about.isFile()) throw new Error(`${source} is not a regular file and no link to one`)
  if (about.size > mostBytes) throw new Error(`${source} is too large for a certificate`)
  const text = readFileSync(source, 'utf8')
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileDurably(target, text, 0o640)
  chownSync(target, 0, gid) // an earlier run may have been killed between the write and this call
}
