import { join } from 'node:path'
import { appendJsonDurably, readJson, readJsonLines, replaceJson, writeJsonDurably } from './durableJson.ts'
import { makeFolder } from './makeFolder.ts'

/** Small JSON values by name, each kept and replaced as a whole. */
export interface JsonFiles {
  /** `null` if there is none. */
  read: (name: string) => unknown
  /** Returns once the value would survive a power cut. */
  write: (name: string, value: unknown) => void
  /** Does not wait for the disk. */
  replace: (name: string, value: unknown) => void
  /** Adds a line after a written value. Returns once the line would survive a power cut. Throws where there is no value. */
  append: (name: string, value: unknown) => void
  /** A written value and the lines after it; none if there is no value. A crash may have cut off the last line. */
  lines: (name: string) => unknown[]
}

/** The files `NAME.json` in a folder, which is made if needed. */
export function jsonFolder(folder: string): JsonFiles {
  makeFolder(folder)
  const path = (name: string): string => join(folder, `${name}.json`)
  return {
    read: (name) => readJson(path(name)),
    write: (name, value) => writeJsonDurably(path(name), value),
    replace: (name, value) => replaceJson(path(name), value),
    append: (name, value) => appendJsonDurably(path(name), value),
    lines: (name) => readJsonLines(path(name)),
  }
}
