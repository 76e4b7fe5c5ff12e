import { digestFor, isOurs } from './describeInstalled.ts'
import { PartsFiles } from './partsFiles.ts'

/** Reads whether the parts on this machine are those of this version. Needs no root. */
export function partsSeen(unit: string, data: string): { areOwn: () => boolean; areChanging: () => boolean } {
  const files = new PartsFiles(data)
  const digest = digestFor(unit)
  return {
    areOwn: () => !isOurs(unit) || files.record?.digest === digest,
    areChanging: () => isOurs(unit) && files.change !== null,
  }
}
