/**
 * Controller and agents mostly wait, and share a laptop with what people really run. Node's young generation would grow to
 * 48 MB under load and stay there: 6 MB cost a proxied request nothing that `make bench-balancer` shows. `gc` lets an agent
 * give back what a rollout took, and glibc is told to return memory rather than keep it in an arena per thread.
 */
const memoryFlags = ['--max-semi-space-size=2', '--expose-gc']
const memoryEnv = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '32768' }

/**
 * For what only watches beside HAProxy, which does the work there: code that is compiled to run fast takes 3 MB (measured over
 * thirty rollouts) and has nothing to be fast for. Without maglev its compiler's part of Node's file, 2.5 MB, is never read either.
 */
export const quietFlags = ['--no-opt', '--no-maglev', '--no-sparkplug']

/** How to run this program again as a part of a laptop's cluster: the same Node, the same flags and `more`, the same script. */
export function selfCommand(more: readonly string[] = []): {
  command: string
  args: string[]
  env: Record<string, string>
} {
  const [, script] = process.argv
  if (script === undefined) throw new Error('this program does not know its own script: a bug')
  return { command: process.execPath, args: [...process.execArgv, ...memoryFlags, ...more, script], env: memoryEnv }
}
