import { join } from 'node:path'
import { readJson, replaceJson, writeJsonDurably } from './durableJson.ts'
import { makeFolder } from './makeFolder.ts'

/** Small JSON values by name, each kept and replaced as a whole. */
export interface JsonFiles {
  /** `null` if there is none. */
  read: (name: string) => unknown
  /** Returns once the value would survive a power cut. */
  write: (name: string, value: unknown) => void
  /** Does not wait for the disk. */
  replace: (name: string, value: unknown) => void
}

/** The files `NAME.json` in a folder, which is made if needed. */
export function jsonFolder(folder: string): JsonFiles {
  makeFolder(folder)
  const path = (name: string): string => join(folder, `${name}.json`)
  return {
    read: (name) => readJson(path(name)),
    write: (name, value) => writeJsonDurably(path(name), value),
    replace: (name, value) => replaceJson(path(name), value),
  }
}
