import { constants, deflateRawSync } from 'node:zlib'

/** Text that is written to one stream or to many; its bytes are made once. */
export class Piece {
  readonly #text: string
  #plain: Buffer | null = null
  #deflated: Buffer | null = null

  constructor(text: string) {
    this.#text = text
  }

  get plain(): Buffer {
    return (this.#plain ??= Buffer.from(this.#text))
  }

  /**
   * A part of a gzip stream that ends on a byte and refers to no part before it (RFC 1951, 3.2.4), so it can follow any
   * other.
   */
  get deflated(): Buffer {
    return (this.#deflated ??= deflateRawSync(this.plain, { finishFlush: constants.Z_SYNC_FLUSH }))
  }
}

/** Begins a gzip stream (RFC 1952, 2.3): deflate, no flags, no time, no system. */
export const gzipHeader: Uint8Array = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
