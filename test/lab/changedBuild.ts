import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execOrThrow } from '../../src/lib/exec.ts'

/** A file of the sources, and its replaced text. */
export type Edit = [file: string, from: string, to: string]

/** Makes a checkout of the sources as they are now, in `folder`, with these changes. */
export async function changedCheckout(root: string, folder: string, edits: readonly Edit[]): Promise<string> {
  await execOrThrow(['git', 'clone', '--quiet', '--shared', root, folder])
  const listed = await execOrThrow([
    'git',
    '-C',
    root,
    'ls-files',
    '-z',
    '-co',
    '--exclude-standard',
    'src',
    'packaging',
  ])
  for (const file of listed.split('\0').filter((name) => name !== ''))
    cpSync(join(root, file), join(folder, file), { force: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [file, from, to] of edits) {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`${file} does not contain ${from}: adapt the change in ${dirname(path)}`)
    writeFileSync(path, text.replace(from, to))
  }
  return folder
}
