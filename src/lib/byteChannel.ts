import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { systemClock } from './clock.ts'
import { endAtSilence } from './silence.ts'

/*
 * A byte channel: the standard streams of a program, both ways over one connection, exact and complete.
 *
 * The connection begins as an HTTP request with `Upgrade: tandem-channel`. After the 101 each side sends frames: one
 * byte for the kind, the length of the rest as u32 big-endian, and that many bytes. A reader that does not read output
 * holds the writer back: there is no queue but the sockets' own. Input is limited by a window instead, so that the
 * program's side always reads and notices at once when the other side leaves. The end of the connection alone means
 * nothing: only an `exit` frame states that everything was sent, so a cut stream is never mistaken for a complete one.
 */

/** Value of the `Upgrade` header. */
export const channelProtocol = 'tandem-channel'

/** `in`, `out`, `err`: bytes of the program's standard streams. */
export type ByteFrame = { kind: 'in' | 'out' | 'err'; bytes: Buffer }

export type Frame =
  | ByteFrame
  /** The program runs and accepts input from now on. */
  | { kind: 'started' }
  /** The end of the input. */
  | { kind: 'inEnd' }
  /** The end of the output of a forwarded connection; its input may go on. */
  | { kind: 'outEnd' }
  /** The program has read this many bytes of its input: the sender may send as many more. */
  | { kind: 'taken'; bytes: number }
  /** The size of the caller's terminal, in characters. */
  | { kind: 'resize'; rows: number; columns: number }
  /** The last frame of a program that has ended; all of its output came before. */
  | { kind: 'exit'; code: number | null; signal: string | null }
  /** The last frame of a program that could not start, or whose output is not complete. */
  | { kind: 'error'; code: string; message: string }

const codes = {
  alive: 0,
  in: 1,
  out: 2,
  err: 3,
  started: 4,
  inEnd: 5,
  exit: 6,
  error: 7,
  taken: 8,
  resize: 9,
  outEnd: 10,
} as const
const kindOf = new Map<number, keyof typeof codes>(
  Object.entries(codes).map(([kind, code]) => [code, kind as keyof typeof codes]), // the table's own keys
)
const exitShape = z.object({ code: z.int().nullable(), signal: z.string().nullable() })
const errorShape = z.object({ code: z.string(), message: z.string() })

const resizeShape = z.object({ rows: z.int().min(1).max(9_999), columns: z.int().min(1).max(9_999) })
const takenShape = z.object({ bytes: z.int().nonnegative() })

/** Most bytes of input in transit that the program has not read yet. */
export const inputWindowBytes = 256 * 1024

const headBytes = 5
const empty = Buffer.alloc(0)

export interface ChannelLimits {
  /** Longest frame that is accepted; Tandem sends none that is longer. */
  frameBytes: number
  /** Interval at which a side with nothing to send shows that it is alive. */
  aliveMs: number
  /** Time without any frame after which the other side counts as gone. Counts only while frames are read. */
  silenceMs: number
}

export const channelLimits: ChannelLimits = { frameBytes: 1024 * 1024, aliveMs: 5_000, silenceMs: 15_000 }

export function encodeFrame(frame: Frame | { kind: 'alive' }): Buffer {
  const rest = restOf(frame)
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(codes[frame.kind], 0)
  head.writeUInt32BE(rest.length, 1)
  return Buffer.concat([head, rest])
}

function restOf(frame: Frame | { kind: 'alive' }): Buffer {
  switch (frame.kind) {
    case 'in':
    case 'out':
    case 'err':
      return frame.bytes
    case 'exit':
      return Buffer.from(JSON.stringify({ code: frame.code, signal: frame.signal }))
    case 'error':
      return Buffer.from(JSON.stringify({ code: frame.code, message: frame.message }))
    case 'taken':
      return Buffer.from(JSON.stringify({ bytes: frame.bytes }))
    case 'resize':
      return Buffer.from(JSON.stringify({ rows: frame.rows, columns: frame.columns }))
    case 'alive':
    case 'started':
    case 'inEnd':
    case 'outEnd':
      return empty
  }
}

/** Returns `null` for a sign of life, and for a kind that only a newer version knows. */
function decodeFrame(code: number, rest: Buffer): Frame | null {
  const kind = kindOf.get(code)
  switch (kind) {
    case 'in':
    case 'out':
    case 'err':
      return { kind, bytes: rest }
    case 'started':
    case 'inEnd':
    case 'outEnd':
      return { kind }
    case 'exit':
      return { kind, ...exitShape.parse(JSON.parse(rest.toString())) }
    case 'error':
      return { kind, ...errorShape.parse(JSON.parse(rest.toString())) }
    case 'resize':
      return { kind, ...resizeShape.parse(JSON.parse(rest.toString())) }
    case 'taken':
      return { kind, ...takenShape.parse(JSON.parse(rest.toString())) }
    case 'alive':
    case undefined:
      return null
  }
}

/** The sender's side of the window for input. */
export class InputWindow {
  #room = inputWindowBytes
  #opened = Promise.withResolvers<void>()

  /** Resolves with the number of bytes that may be sent, once there is room. */
  async room(): Promise<number> {
    while (this.#room <= 0) {
      await this.#opened.promise
      this.#opened = Promise.withResolvers()
    }
    return this.#room
  }

  sent(bytes: number): void {
    this.#room -= bytes
  }

  taken(bytes: number): void {
    this.#room += bytes
    this.#opened.resolve()
  }
}

/** One end of a byte channel. */
export class ByteChannel {
  readonly #socket: Duplex
  readonly #limits: ChannelLimits
  readonly #alive: NodeJS.Timeout
  /** Aborted when the connection is gone, even while nothing reads from it. */
  readonly gone: AbortSignal

  /** `head` holds the bytes that came behind the request or answer that opened the channel. */
  constructor(socket: Duplex, head: Uint8Array, limits: Partial<ChannelLimits> = {}) {
    this.#socket = socket
    this.#limits = { ...channelLimits, ...limits }
    if (head.length > 0) socket.unshift(head)
    const gone = new AbortController()
    this.gone = gone.signal
    this.#alive = setInterval(() => this.#sign(), this.#limits.aliveMs)
    socket.on('error', () => {}) // the `close` event follows and is sufficient
    socket.once('close', () => {
      clearInterval(this.#alive)
      gone.abort()
    })
  }

  /** Resolves when there is room for more. Rejects when the connection is gone. */
  async send(frame: Frame): Promise<void> {
    if (!this.#socket.writable) throw new ChannelClosed()
    if (this.#socket.write(encodeFrame(frame))) return
    await this.#drained()
  }

  /**
   * The other side's frames. Ends when the other side has closed; throws when the connection broke or the other side
   * fell silent.
   */
  async *frames(): AsyncGenerator<Frame> {
    let rest: Buffer = empty
    for await (const chunk of endAtSilence<Buffer>(this.#socket, this.#limits.silenceMs, systemClock)) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= headBytes) {
        const length = rest.readUInt32BE(1)
        if (length > this.#limits.frameBytes) throw new Error(`a frame of ${length} bytes is above the limit`)
        if (rest.length < headBytes + length) break
        const frame = decodeFrame(rest.readUInt8(0), rest.subarray(headBytes, headBytes + length))
        rest = rest.subarray(headBytes + length)
        if (frame !== null) yield frame
      }
    }
  }

  /** Sends everything that is buffered, then closes. */
  end(): void {
    clearInterval(this.#alive)
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Sends no sign of life while the other side holds this side back: the unread data shows that this side is alive. */
  #sign(): void {
    if (this.#socket.writable && !this.#socket.writableNeedDrain) this.#socket.write(encodeFrame({ kind: 'alive' }))
  }

  async #drained(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const closed = (): void => reject(new ChannelClosed())
    this.#socket.once('drain', resolve)
    this.#socket.once('close', closed)
    try {
      await promise
    } finally {
      this.#socket.off('drain', resolve)
      this.#socket.off('close', closed)
    }
  }
}

export class ChannelClosed extends Error {
  constructor() {
    super('the connection closed')
  }
}
