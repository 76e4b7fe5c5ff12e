import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The JSON in a file; `null` when there is none. Throws on a file that holds something else. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new Error(`cannot read ${path}`, { cause: error })
  }
}

/** Replaces a file whole and durably: a crash or a full disk at any point leaves the old content or the new. Mode 0600. */
export function writeJsonDurably(path: string, value: unknown): void {
  const temporary = `${path}.new`
  withFile(temporary, 'w', (file) => {
    // Not `writeSync`: on a full disk that writes a part and says so only by its count.
    writeFileSync(file, `${JSON.stringify(value)}\n`)
    fdatasyncSync(file)
  })
  renameSync(temporary, path)
  // The new name is on disk only once its folder is.
  withFile(dirname(path), 'r', fsyncSync)
}

function withFile(path: string, flags: 'r' | 'w', use: (file: number) => void): void {
  const file = openSync(path, flags, 0o600)
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}
