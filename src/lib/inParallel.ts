/**
 * Runs `work` on each thing, `parallel` at a time. After a failure it starts no more, waits for the running ones, and
 * rejects.
 */
export async function inParallel<T>(
  things: readonly T[],
  work: (thing: T) => Promise<void>,
  parallel: number,
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
