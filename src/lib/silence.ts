/**
 * The items of `source`. Throws if the next item does not come for `limitMs`; the time that the consumer takes does not
 * count.
 */
export async function* endAtSilence<T>(source: AsyncIterable<T>, limitMs: number): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (let next = await within(iterator.next(), limitMs); !next.done; next = await within(iterator.next(), limitMs)) {
      yield next.value
    }
    isOver = true
  } finally {
    // Called without waiting: a silent source may not answer this call either, and its failure is known already.
    if (!isOver) iterator.return?.().catch(() => {})
  }
}

async function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no data arrived for ${limitMs / 1000} s`)), limitMs)
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}
