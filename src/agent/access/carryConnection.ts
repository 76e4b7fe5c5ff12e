import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { inputWindowBytes, type ByteChannel } from '../../lib/byteChannel.ts'
import { OperatorError } from '../../lib/operatorError.ts'

/**
 * Carries one TCP connection to this machine over a byte channel, until both directions have ended; each may end first.
 * `portOf` may refuse. Never rejects: a failure is reported over the channel, and a broken connection breaks it.
 */
export async function carryConnection(channel: ByteChannel, portOf: () => Promise<number>): Promise<void> {
  let socket: Socket
  try {
    socket = connect({ host: '127.0.0.1', port: await portOf(), allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
  } catch (error) {
    const code = error instanceof OperatorError ? error.code : 'E_NOT_LISTENING'
    const message = error instanceof Error ? error.message : String(error)
    await channel.send({ kind: 'error', code, message }).catch(() => {}) // the caller has left
    channel.end()
    return
  }
  const cut = (): void => {
    socket.destroy()
    channel.destroy()
  }
  socket.on('error', cut)
  channel.gone.addEventListener('abort', cut)
  try {
    await channel.send({ kind: 'started' })
    await Promise.all([sendAnswers(socket, channel), requestsTaken(socket, channel)])
    await channel.send({ kind: 'exit', code: 0, signal: null })
    channel.end()
  } catch {
    cut()
  } finally {
    channel.gone.removeEventListener('abort', cut)
  }
}

async function sendAnswers(socket: Socket, channel: ByteChannel): Promise<void> {
  for await (const bytes of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
    await channel.send({ kind: 'out', bytes })
  await channel.send({ kind: 'outEnd' })
}

/** Resolves at the end of the caller's direction. Frames are read on: whoever ends that closes the channel. */
function requestsTaken(socket: Socket, channel: ByteChannel): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  takeRequests(socket, channel, resolve).then(() => reject(new Error('the caller left')), reject)
  return promise
}

/** The window limits how much may be in transit. */
async function takeRequests(socket: Socket, channel: ByteChannel, ended: () => void): Promise<void> {
  for await (const frame of channel.frames()) {
    if (frame.kind === 'inEnd') {
      socket.end()
      ended()
    }
    if (frame.kind !== 'in') continue
    if (socket.writableLength + frame.bytes.length > 2 * inputWindowBytes)
      throw new Error('the caller sent more than the window allows')
    const { length } = frame.bytes
    socket.write(frame.bytes, () => void channel.send({ kind: 'taken', bytes: length }).catch(() => {}))
  }
}
