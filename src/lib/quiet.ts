import { setFlagsFromString } from 'node:v8'

/**
 * For a process that only watches beside HAProxy, which does the work there: code compiled for speed takes megabytes
 * and brings nothing; and the part of Node's file for maglev, 2.5 MB, is never read. `make bench-machine` measures no
 * difference in processor time. The process sets the flags itself, so that they hold however it is started.
 */
export function beQuiet(): void {
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag)
}
