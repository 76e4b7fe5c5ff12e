import { chmodSync, chownSync, lstatSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { writeFileDurably } from '../../lib/durableFile.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { hasNames, withNames, type NamedService } from './hostsBlock.ts'

/** Names of services on one machine. Implementations: the hosts file, directly or by the privileged helper, and none. */
export interface NamesDriver {
  /** Whether these names hold now. Reads one small file. */
  hold(names: readonly NamedService[]): boolean
  write(names: readonly NamedService[]): Promise<void>
}

const mostBytes = 16 * 1024 * 1024

/** The text of the hosts file; a missing file is empty. */
export function readHosts(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return ''
  const real = realpathSync(path)
  const { size } = lstatSync(real)
  if (size <= mostBytes) return readFileSync(real, 'utf8')
  throw new OperatorError('E_NAMES', `${path} has ${size} bytes; Tandem changes it only below 16 MiB`, {
    subject: path,
    next: `see what fills it: tail ${path}`,
  })
}

export function holdNames(path: string, names: readonly NamedService[]): boolean {
  const text = readHosts(path)
  return names.length === 0 ? !hasNames(text) : withNames(text, names) === text
}

/**
 * Writes Tandem's block. Programs see the old file or the new one, never a part; where another file system is mounted on
 * the file itself, as in containers, it can only be written in place.
 */
export function writeNames(path: string, names: readonly NamedService[]): void {
  const text = readHosts(path)
  const wanted = withNames(text, names)
  if (wanted === text || (names.length === 0 && !hasNames(text))) return
  const found = lstatSync(path, { throwIfNoEntry: false })
  const real = found ? realpathSync(path) : path
  const { mode, uid, gid } = found ? lstatSync(real) : { mode: 0o644, uid: 0, gid: 0 }
  try {
    writeFileDurably(real, wanted, mode & 0o777)
    chmodSync(real, mode & 0o777) // independent of the umask
    chownSync(real, uid, gid)
  } catch (error) {
    if (!isMounted(error)) throw error
    rmSync(`${real}.new`, { force: true })
    writeFileSync(real, wanted, { flush: true })
  }
}

const isMounted = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EBUSY' || error.code === 'EXDEV')

export const hostsFile = (path: string): NamesDriver => ({
  hold: (names) => holdNames(path, names),
  write: async (names) => writeNames(path, names),
})

/** For a laptop, where no service has an address of its own. */
export const noNames: NamesDriver = { hold: () => true, write: async () => {} }
