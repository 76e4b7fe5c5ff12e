import { setFlagsFromString } from 'node:v8'

/**
 * For a process that only watches beside HAProxy, which does the work there: code that is compiled to run fast takes megabytes
 * and has nothing to be fast for; and maglev's part of Node's file, 2.5 MB, is never read. Processor time is the same with and
 * without, as near as `make bench-machine` can tell.
 * Said by the process itself, so that it holds however it is started.
 */
export function beQuiet(): void {
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag)
}
