import { OperatorError } from './operatorError.ts'
/**
 * Controller and agents mostly wait, and share a laptop with other programs, so they should use little memory. Without
 * these flags, Node's young generation grows to 48 MB under load and keeps that size; with 6 MB, `make bench-balancer`
 * shows no cost for a proxied request. `gc` lets an agent return the memory of a rollout. The variables make glibc
 * return memory to the system; by default it keeps memory in an arena for each thread.
 */
export const partFlags = ['--max-semi-space-size=2', '--expose-gc']
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
  return { command: process.execPath, args: [...process.execArgv, ...partFlags, script], env: partEnvironment }
}
