import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The folder that contains this program's package.json: that of the checkout, or of the unpacked bundle. It is searched
 * upwards, because a bundle is flatter than the sources.
 */
export const programFolder = above(import.meta.dirname)

/** Whether the program runs from its sources, and may write beside them. */
export const isCheckout = existsSync(join(programFolder, 'src'))

function above(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}: this program is incomplete`)
  return above(parent)
}
