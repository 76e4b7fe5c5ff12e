import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { writeFileDurably } from './durableFile.ts'

/** The JSON in a file; `null` when there is none. Throws on a file that holds something else. */
export function readJson(path: string): unknown {
  try {
    // Most are looked for again and again, and are not there: an error with its stack costs many times as much.
    if (!statSync(path, { throwIfNoEntry: false })) return null
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new Error(`cannot read ${path}`, { cause: error })
  }
}

/** Replaces a file whole and durably, as one line. Mode 0600. */
export function writeJsonDurably(path: string, value: unknown): void {
  writeFileDurably(path, `${JSON.stringify(value)}\n`)
}

/** Replaces a file whole, as one line, without waiting until the disk has it. Mode 0600. */
export function replaceJson(path: string, value: unknown): void {
  const temporary = `${path}.new`
  writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  renameSync(temporary, path)
}
