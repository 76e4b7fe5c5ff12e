import { inParallel } from '../lib/inParallel.ts'
import { transferLimits } from './releaseLimits.ts'

/** Splits things into ordered groups, each within the limits of keys and bytes of one request. */
export function batches<T>(things: Iterable<T>, bytesOf: (thing: T) => number = () => 0): T[][] {
  const groups: T[][] = []
  let [group, bytes]: [T[], number] = [[], 0]
  for (const thing of things) {
    const size = bytesOf(thing)
    const isFull = group.length >= transferLimits.keysPerRequest || bytes + size > transferLimits.batchBytes
    if (isFull && group.length > 0) {
      groups.push(group)
      ;[group, bytes] = [[], 0]
    }
    group.push(thing)
    bytes += size
  }
  if (group.length > 0) groups.push(group)
  return groups
}

/** Runs `work` on each thing, as many at a time as requests may carry objects. */
export const inStreams = <T>(things: readonly T[], work: (thing: T) => Promise<void>): Promise<void> =>
  inParallel(things, work, transferLimits.parallelStreams)
