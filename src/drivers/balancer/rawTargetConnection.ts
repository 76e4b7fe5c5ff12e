import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What Node's parser says of a connection that it has given up. */
export interface ParseError extends NodeJS.ErrnoException {
  rawPacket?: Buffer
  /** How far it came in that packet. */
  bytesParsed?: number
}

/**
 * A client's connection read on, from a request whose target has bytes beyond ASCII: `/café` as some clients write it. Node's
 * parser refuses these whatever its settings, so it is given the target percent-encoded, in a connection of its own (Node's
 * server takes any stream for one), and the instance gets the bytes of the client. It serves that one request.
 */
export class RawTargetConnection extends Duplex {
  readonly #socket: Socket
  #target: string | null

  constructor(socket: Socket, target: string, first: Buffer) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#target = target
    this.push(first)
    // Node's own listeners would go on feeding the parser that gave up.
    socket.removeAllListeners('data').removeAllListeners('timeout').setTimeout(0)
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.once('end', () => this.push(null))
    socket.once('close', () => this.destroy())
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  /** The target as the client wrote it, as latin1; the first request that asks is the one it belongs to. */
  takeTarget(): string | null {
    const target = this.#target
    this.#target = null
    return target
  }

  destroySoon(): void {
    this.end(() => this.destroy())
  }

  resetAndDestroy(): void {
    this.#socket.resetAndDestroy()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}

const requestLine = /^(\S+ )([\x21-\x7e\x80-\xff]+)( HTTP\/1\.[01]\r?)$/

/**
 * The target that the parser stumbled at, and the bytes from its request on with that target percent-encoded; `null`: it
 * stumbled at something else, or the request line is not whole in one packet.
 */
export function rawTargetAt(error: ParseError): { target: string; bytes: Buffer } | null {
  const { code, rawPacket, bytesParsed } = error
  if (code !== 'HPE_INVALID_URL' || !rawPacket || bytesParsed === undefined) return null
  const begin = rawPacket.lastIndexOf(0x0a, bytesParsed) + 1
  const end = rawPacket.indexOf(0x0a, bytesParsed)
  if (end < 0) return null
  const [, method = '', target = '', version = ''] = requestLine.exec(rawPacket.toString('latin1', begin, end)) ?? []
  const encoded = target.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
  if (encoded === target) return null
  const line = Buffer.from(method + encoded + version, 'latin1')
  return { target, bytes: Buffer.concat([line, rawPacket.subarray(end)]) }
}
