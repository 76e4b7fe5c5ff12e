import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** One shipped file. It keeps no owner, date or umask of the build computer. */
export interface ShippedFile {
  /** Path below the folder it is unpacked into. */
  path: string
  content: Uint8Array
  executable: boolean
}

export const shipped = (path: string, content: Uint8Array | string, executable = false): ShippedFile => ({
  ...{ path, executable },
  content: typeof content === 'string' ? Buffer.from(content) : content,
})

/** Every file below `folder`, as `under`/…. */
export function shippedFolder(folder: string, under = ''): ShippedFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => shipped(join(under, relative(folder, file)), readFileSync(file)))
}

/** The files that git tracks below `paths`; other files of a checkout are not shipped. */
export function shippedFromGit(root: string, paths: readonly string[]): ShippedFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--', ...paths], { cwd: root, encoding: 'utf8' })
  const files = listed.split('\0').filter((file) => file !== '')
  if (files.length === 0) throw new Error(`git tracks no file of ${paths.join(', ')} in ${root}`)
  return files.map((file) => {
    const executable = (statSync(join(root, file)).mode & 0o100) !== 0
    return shipped(file, readFileSync(join(root, file)), executable)
  })
}
