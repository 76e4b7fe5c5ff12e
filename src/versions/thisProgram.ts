import { programFolder } from '../lib/programFolder.ts'
import type { OwnProgram } from './ownProgram.ts'

/** The program that this process runs. */
export const thisProgram = (): OwnProgram => ({
  folder: programFolder,
  node: process.execPath,
  options: process.execArgv,
  words: process.argv.slice(2),
})
