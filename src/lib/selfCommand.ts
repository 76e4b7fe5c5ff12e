import { OperatorError } from './operatorError.ts'
import { partFlagsIn } from './partFlags.ts'
import { programFolder } from './programFolder.ts'

/**
 * The variables make glibc return memory to the system; by default it keeps memory in an arena for each thread.
 */
export const partEnvironment: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '32768',
}

/** The command that runs this program again as a part: the same Node, flags and script. */
export function selfCommand(): {
  command: string
  args: string[]
  env: Readonly<Record<string, string>>
} {
  const [, script] = process.argv
  if (script === undefined) throw new OperatorError('E_BUG', 'the path of this program is missing in its own arguments')
  return {
    command: process.execPath,
    args: [...process.execArgv, ...partFlagsIn(programFolder), script],
    env: partEnvironment,
  }
}
