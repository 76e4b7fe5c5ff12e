import { OperatorError } from '../../lib/operatorError.ts'
/**
 * Controller and agents mostly wait, and share a laptop with what people really run. Node's young generation would grow to
 * 48 MB under load and stay there: 6 MB cost a proxied request nothing that `make bench-balancer` shows. `gc` lets an agent
 * give back what a rollout took, and glibc is told to return memory rather than keep it in an arena per thread.
 */
const memoryFlags = ['--max-semi-space-size=2', '--expose-gc']
const memoryEnv = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '32768' }

/** How to run this program again as a part: the same Node, the same flags, the same script. */
export function selfCommand(): {
  command: string
  args: string[]
  env: Record<string, string>
} {
  const [, script] = process.argv
  if (script === undefined) throw new OperatorError('E_BUG', 'the path of this program is missing in its own arguments')
  return { command: process.execPath, args: [...process.execArgv, ...memoryFlags, script], env: memoryEnv }
}
