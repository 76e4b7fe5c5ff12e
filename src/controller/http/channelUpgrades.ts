import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { agentChannelPath, basePath, channelPath } from '../../api/operation.ts'
import { problemMediaType, toProblem } from '../../api/problem.ts'
import { channelProtocol } from '../../lib/byteChannel.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Channels } from '../channels.ts'
import type { Callers } from './callers.ts'
import { asOperatorError } from './problems.ts'

/** Only these requests become channels; any other `Upgrade` is ignored, as RFC 9110 section 7.8 allows. */
export const wantsChannel = (request: IncomingMessage): boolean => request.headers.upgrade === channelProtocol

const accepted = `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${channelProtocol}\r\n\r\n`

/** Takes over the connections that request to be one end of a byte channel. */
export function takeChannels(server: Server, channels: Channels, callers: Callers, logger: Logger): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    try {
      socket.on('error', () => {}) // the caller has disconnected
      const join = endOf(request, socket, channels, callers)
      // The other end first reads the bytes that came with the request.
      if (head.length > 0) socket.unshift(head)
      socket.write(accepted)
      join()
    } catch (error) {
      refuse(socket, asOperatorError(error, { url: request.url ?? '', raw: request }, logger))
    }
  })
}

/**
 * Decides which end this connection becomes. Throws, before anything was answered, when the caller may not be that end.
 */
function endOf(request: IncomingMessage, socket: Duplex, channels: Channels, callers: Callers): () => void {
  const { url = '', headers } = request
  const call = { url, headers, raw: request }
  const id = lastSegment(url)
  switch (url) {
    case basePath + channelPath(id):
      callers.identify(call, 'operator')
      channels.checkOffered(id)
      callers.watch(call, 'operator', socket)
      return () => channels.call(id, socket)
    case basePath + agentChannelPath(id): {
      const { machine } = callers.identify(call, 'agent')
      channels.checkCalled(id, machine)
      callers.watch(call, 'agent', socket)
      return () => channels.join(id, socket)
    }
    default:
      throw new OperatorError('E_NOT_FOUND', `there is no ${channelProtocol} ${url}`, { subject: url })
  }
}

function lastSegment(url: string): string {
  try {
    return decodeURIComponent(url.split('/').at(-1) ?? '')
  } catch (cause) {
    throw new OperatorError('E_USAGE', `${url} is not a valid URL`, {
      subject: url,
      next: `see ${basePath}/openapi.json`,
      cause,
    })
  }
}

function refuse(socket: Duplex, error: OperatorError): void {
  const body = JSON.stringify(toProblem(error))
  const head = `HTTP/1.1 ${error.httpStatus} Refused\r\ncontent-type: ${problemMediaType}\r\ncontent-length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy())
}
