import type { Clock } from './clock.ts'

/**
 * The items of `source`. Throws if the next item does not come for `limitMs`; the time that the consumer takes does not
 * count.
 */
export async function* endAtSilence<T>(source: AsyncIterable<T>, limitMs: number, clock: Clock): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]()
  let isOver = false
  try {
    const next = (): Promise<IteratorResult<T>> => within(iterator.next(), limitMs, clock)
    for (let one = await next(); !one.done; one = await next()) yield one.value
    isOver = true
  } finally {
    // Called without waiting: a silent source may not answer this call either, and its failure is known already.
    if (!isOver) iterator.return?.().catch(() => {})
  }
}

async function within<T>(promise: Promise<T>, limitMs: number, clock: Clock): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>()
  const stop = clock.after(limitMs, () => reject(new Error(`no data arrived for ${limitMs / 1000} s`)))
  try {
    return await Promise.race([promise, silence])
  } finally {
    stop()
  }
}
