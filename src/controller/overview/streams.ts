import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Live } from '../../api/overview.ts'
import type { Clock } from '../../lib/clock.ts'
import { encodeServerSentEvent } from '../../lib/serverSentEvents.ts'
import { EventStream } from '../http/eventStream.ts'
import type { LiveOverview } from './liveOverview.ts'

/**
 * One reader of the live overview. A reader that is too slow for the differences gets the whole overview when it has
 * room again, so that nothing piles up for it.
 */
export async function streamOverview(
  live: LiveOverview,
  clock: Clock,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const beat = (): string => {
    const message: Live = { kind: 'beat', at: new Date(clock.now()).toISOString() }
    return encodeServerSentEvent({ data: JSON.stringify(message) })
  }
  const stream = new EventStream(request, reply, clock, {}, beat)
  let isBehind = false
  const catchUp = async (): Promise<void> => {
    await stream.room()
    isBehind = false
    if (!stream.signal.aborted) stream.write({ data: live.whole() })
  }
  const stop = await live.follow((data) => {
    if (isBehind) return
    if (stream.hasRoom) return stream.write({ data })
    isBehind = true
    void catchUp()
  })
  if (stream.signal.aborted) stop()
  else stream.signal.addEventListener('abort', stop)
}
