import type { Clock } from '../lib/clock.ts'

/**
 * Yields the items of `source`, and `null` at once and then whenever no item came for `everyMs`. The head of a request
 * is only sent with the first bytes of its body, and the reader must be able to tell a quiet sender from a lost one.
 */
export async function* withSigns<T>(source: AsyncIterable<T>, everyMs: number, clock: Clock): AsyncIterable<T | null> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    yield null
    let next = iterator.next()
    for (;;) {
      const result = await orQuiet(next, everyMs, clock)
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

async function orQuiet<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | null> {
  const { promise: quiet, resolve } = Promise.withResolvers<null>()
  const stop = clock.after(ms, () => resolve(null))
  try {
    return await Promise.race([promise, quiet])
  } finally {
    stop()
  }
}
