import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../lib/durableFile.ts'
import { idOf } from './setUp.ts'

const mostFiles = 10_000
const mostBytes = 1024 * 1024

/** Brings the PEM files for https to where HAProxy may read them, and takes away those that are no more. */
export async function copyPublicCertificates(from: string, to: string, group: string): Promise<void> {
  const gid = await idOf('-g', group)
  if (!existsSync(to)) mkdirSync(to, { mode: 0o750 })
  const about = lstatSync(to)
  if (!about.isDirectory() || about.uid !== 0)
    throw new Error(`${to} is not a folder of root: it was put there by somebody`)
  chownSync(to, 0, gid)
  chmodSync(to, 0o750)
  const wanted = existsSync(from) ? readdirSync(from).slice(0, mostFiles) : []
  for (const name of wanted) {
    const source = join(from, name)
    if (!lstatSync(source).isFile() && !lstatSync(source).isSymbolicLink()) continue
    const text = readFileSync(source, 'utf8')
    if (text.length > mostBytes) throw new Error(`${source} is too large for a certificate`)
    const target = join(to, name)
    if (existsSync(target) && readFileSync(target, 'utf8') === text) continue
    writeFileDurably(target, text, 0o640)
    chownSync(target, 0, gid)
  }
  for (const name of readdirSync(to)) if (!wanted.includes(name)) rmSync(join(to, name), { force: true })
}
