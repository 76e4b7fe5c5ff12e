import { closeSync, fdatasyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

/** The JSON in a file; `null` when there is none. Throws on a file that holds something else. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new Error(`cannot read ${path}`, { cause: error })
  }
}

/** Replaces a file whole and durably: a crash at any point leaves the old content or the new. Mode 0600. */
export function writeJsonDurably(path: string, value: unknown): void {
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify(value)}\n`)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
