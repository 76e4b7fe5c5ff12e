import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import type { z } from 'zod'
import { appendDurably, writeFileDurably } from './durableFile.ts'

/** Returns the JSON in a file; `null` if the file does not exist. Throws if the file contains anything else. */
export function readJson(path: string): unknown {
  try {
    // Most files are looked up often and do not exist: an error with its stack costs many times as much as this check.
    if (!statSync(path, { throwIfNoEntry: false })) return null
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new Error(`cannot read ${path}`, { cause: error })
  }
}

/** The content of a file that was replaced without waiting for the disk; `null`: none, or a loss of power damaged it. */
export function readUndamaged<T>(path: string, schema: z.ZodType<T>): T | null {
  if (!statSync(path, { throwIfNoEntry: false })) return null
  const text = readFileSync(path, 'utf8') // a file that cannot be read now is not damaged
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Replaces a file as a whole and durably, as one line. Mode 0600. */
export function writeJsonDurably(path: string, value: unknown): void {
  writeFileDurably(path, `${JSON.stringify(value)}\n`)
}

/** Replaces a file as a whole, as one line, without waiting for the disk. Mode 0600. */
export function replaceJson(path: string, value: unknown): void {
  const temporary = `${path}.new`
  writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  renameSync(temporary, path)
}

/** Adds a line to a file that was written durably. A missing file is an error; see `appendDurably`. */
export function appendJsonDurably(path: string, value: unknown): void {
  appendDurably(path, `${JSON.stringify(value)}\n`)
}

/** The complete lines of a file, as text; none if there is no file. A crash may have cut off or damaged the last one. */
export function readLines(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })) return []
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}
