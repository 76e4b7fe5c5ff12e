/**
 * Yields the items of `source`, and `null` at once and then whenever no item came for `everyMs`. The head of a request
 * is only sent with the first bytes of its body, and the reader must be able to tell a quiet sender from a lost one.
 */
export async function* withSigns<T>(source: AsyncIterable<T>, everyMs: number): AsyncIterable<T | null> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    yield null
    let next = iterator.next()
    for (;;) {
      const result = await orQuiet(next, everyMs)
      if (result === null) yield null
      else if (result.done) return
      else {
        yield result.value
        next = iterator.next()
      }
    }
  } finally {
    await iterator.return?.()
  }
}

async function orQuiet<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  const { promise: quiet, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(() => resolve(null), ms)
  try {
    return await Promise.race([promise, quiet])
  } finally {
    clearTimeout(timer)
  }
}
