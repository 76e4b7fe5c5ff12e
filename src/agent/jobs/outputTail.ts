/** The last bytes of some output. Holds at most twice as many. */
export class OutputTail {
  #mostBytes: number
  #chunks: Buffer[] = []
  #heldBytes = 0
  #allBytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  add(bytes: Buffer): void {
    this.#allBytes += bytes.length
    // A copy: a slice would keep the whole buffer of the stream.
    const last = bytes.length > this.#mostBytes ? Buffer.from(bytes.subarray(-this.#mostBytes)) : bytes
    this.#chunks.push(last)
    this.#heldBytes += last.length
    if (this.#heldBytes > 2 * this.#mostBytes) this.#trim()
  }

  /** In front of it, if something is missing, a line that tells how much. */
  text(): string {
    const bytes = this.#trim()
    const missing = this.#allBytes - bytes.length
    if (missing === 0) return bytes.toString()
    const start = firstWhole(bytes)
    return `[${missing + start} bytes before are not kept]\n${bytes.subarray(start).toString()}`
  }

  #trim(): Buffer {
    const bytes = Buffer.from(Buffer.concat(this.#chunks).subarray(-this.#mostBytes))
    this.#chunks = [bytes]
    this.#heldBytes = bytes.length
    return bytes
  }
}

/** Index of the first byte that does not continue a character cut off in front (UTF-8: 10xxxxxx). */
function firstWhole(bytes: Buffer): number {
  let start = 0
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return start
}
