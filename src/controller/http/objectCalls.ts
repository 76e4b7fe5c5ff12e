import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { z } from 'zod'
import { framesContentType } from '../../releases/objectFrames.ts'
import { bytesOf } from './bytesOf.ts'
import type { Rooms } from '../handlers.ts'

/** Transfers of objects, which are not JSON. */
export function addObjects(api: FastifyInstance, { releases, callers }: Rooms, logger: Logger): void {
  const hidden = { schema: { hide: true } }
  const mayPut = async (request: FastifyRequest): Promise<void> => void callers.identify(request, 'operator')
  api.post('/objects', { ...hidden, onRequest: mayPut, bodyLimit: Number.MAX_SAFE_INTEGER }, async (request) => {
    await releases.depot.put(bytesOf(request, framesContentType))
    return {}
  })
  const mayFetch = async (request: FastifyRequest): Promise<void> => void callers.identify(request, 'agentOrOperator')
  const schema = { hide: true, body: keysSchema }
  api.post('/objects/fetch', { schema, onRequest: mayFetch }, async (request, reply) => {
    const { keys } = request.body as { keys: `blob/${string}`[] } // an array of strings; the depot checks each
    const gone = new AbortController()
    reply.raw.on('close', () => gone.abort())
    const frames = saying(releases.depot.fetch(keys, { signal: gone.signal }), (error) => {
      if (!gone.signal.aborted) logger.error({ err: error }, 'could not send objects')
    })
    return reply.type(framesContentType).send(ReadableStream.from(await primed(frames, framesBeforeAnswer)))
  })
}

const keysSchema = z.object({ keys: z.array(z.string().max(80)).max(1_000) })

/**
 * The opening frame and the first object. A failure up to then becomes an error response instead of a broken
 * connection.
 */
const framesBeforeAnswer = 2

/** Yields the same items, `count` of them taken in advance: their failure rejects this promise. */
async function primed<T>(items: AsyncIterable<T>, count: number): Promise<AsyncIterable<T>> {
  const iterator = items[Symbol.asyncIterator]()
  const first: T[] = []
  while (first.length < count) {
    const next = await iterator.next()
    if (next.done) break
    first.push(next.value)
  }
  return (async function* () {
    yield* first
    yield* { [Symbol.asyncIterator]: () => iterator }
  })()
}

/** Reports the failure of a stream, whose reader sees only a broken connection. */
async function* saying<T>(items: AsyncIterable<T>, say: (error: unknown) => void): AsyncIterable<T> {
  try {
    yield* items
  } catch (error) {
    say(error)
    throw error
  }
}
