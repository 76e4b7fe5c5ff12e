import { join } from 'node:path'
import { appendJsonDurably, readJson, readLines, replaceJson, writeJsonDurably } from './durableJson.ts'
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
  /** The text of a written value and of the lines after it; none if there is no value. See `readLines`. */
  lines: (name: string) => string[]
}

const pathIn = (folder: string, name: string): string => join(folder, `${name}.json`)

/** The files `NAME.json` in a folder, only to read them. */
export const jsonReader = (folder: string): Pick<JsonFiles, 'read' | 'lines'> => ({
  read: (name) => readJson(pathIn(folder, name)),
  lines: (name) => readLines(pathIn(folder, name)),
})

/** The files `NAME.json` in a folder, which is made if needed. */
export function jsonFolder(folder: string): JsonFiles {
  makeFolder(folder)
  return {
    ...jsonReader(folder),
    write: (name, value) => writeJsonDurably(pathIn(folder, name), value),
    replace: (name, value) => replaceJson(pathIn(folder, name), value),
    append: (name, value) => appendJsonDurably(pathIn(folder, name), value),
  }
}
