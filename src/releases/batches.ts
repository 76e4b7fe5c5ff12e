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

/**
 * Runs `work` on each thing, a few at a time. After a failure it starts no more, waits for the running ones, and
 * rejects.
 */
export async function inParallel<T>(
  things: readonly T[],
  work: (thing: T) => Promise<void>,
  parallel: number = transferLimits.parallelStreams,
): Promise<void> {
  const queue = [...things]
  const lane = async (): Promise<void> => {
    try {
      for (let thing = queue.shift(); thing !== undefined; thing = queue.shift()) await work(thing)
    } catch (error) {
      queue.length = 0
      throw error
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(parallel, things.length) }, lane))
  const failed = ended.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}
