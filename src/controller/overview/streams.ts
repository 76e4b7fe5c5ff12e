import type { FastifyReply, FastifyRequest } from 'fastify'
import { EventStream } from '../http/eventStream.ts'
import type { Piece } from '../http/piece.ts'
import type { Rooms } from '../handlers.ts'
import type { KnownCaller } from '../http/callers.ts'
import { pieceOf } from './liveOverview.ts'
import { readerId } from '../tails/handlers.ts'

/** A reader that takes nothing for so long is cut off; it begins again. */
const stalledMs = 60_000

/**
 * One reader of the live overview. A reader that is too slow for the differences gets the whole overview when it has
 * room again, so that nothing piles up for it.
 */
export async function streamOverview(
  { overview: live, tails, controller: { clock } }: Pick<Rooms, 'overview' | 'tails' | 'controller'>,
  reader: KnownCaller,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const beat = (): Piece => pieceOf({ kind: 'beat', at: new Date(clock.now()).toISOString() })
  const stream = new EventStream(request, reply, clock, { beat, compressed: true })
  const pass = (data: string): Promise<void> => stream.pass({ data })
  const id = tails.carry({ signal: stream.signal, pass }, readerId(reader))
  let isBehind = false
  const catchUp = async (): Promise<void> => {
    const giveUp = clock.after(stalledMs, () => reply.raw.destroy())
    await stream.room()
    giveUp()
    // Only now: making the whole overview sends the difference from the one before to all that are not behind.
    if (!stream.signal.aborted) stream.writePiece(live.whole(id))
    isBehind = false
  }
  const read = (message: Piece): void => {
    if (isBehind) return
    if (stream.hasRoom) return stream.writePiece(message)
    isBehind = true
    void catchUp()
  }
  try {
    const stop = await live.follow(read, id)
    if (stream.signal.aborted) stop()
    else stream.signal.addEventListener('abort', stop)
  } catch (error) {
    // A stream without an overview would look alive.
    stream.end()
    throw error
  }
}
