import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** The error of Node's parser about a connection that it has given up. */
export interface ParseError extends NodeJS.ErrnoException {
  rawPacket?: Buffer
  /** Number of bytes of that packet that were parsed. */
  bytesParsed?: number
}

/**
 * Continues a client connection at a request whose target has bytes beyond ASCII, such as `/café` as some clients write
 * it. Node's parser rejects such a target whatever its settings, so it gets the target percent-encoded, in a separate
 * connection (Node's server accepts any stream as a connection), and the instance gets the bytes of the client. It
 * serves that one request.
 */
export class RawTargetConnection extends Duplex {
  readonly #socket: Socket
  #target: string | null

  constructor(socket: Socket, target: string, first: Buffer) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#target = target
    this.push(first)
    // Node's own listeners would continue to feed the parser that gave up.
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

  /** The target as the client wrote it, as latin1. It belongs to the first request that takes it. */
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
 * Returns the target at which the parser failed, and the bytes from its request on with that target percent-encoded;
 * `null` if the parser failed at something else, or if the request line is not whole in one packet.
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
