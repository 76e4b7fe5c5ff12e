import { OperatorError } from '../lib/operatorError.ts'
import { objectKey, objectKinds, splitKey } from './objectKey.ts'
import type { Encoding, PackedObject } from './packedObject.ts'
import { releaseLimits } from './releaseLimits.ts'

/**
 * Objects on the wire, in both directions, as the body of a request or an answer. First the magic `TDM1`; then for each
 * object a header of 38 bytes (kind, encoding, length as u32 big-endian, the id's 32 bytes) and its bytes; then one
 * zero byte, so that a truncated body differs from a complete one.
 */
const magic = Buffer.from('TDM1')
const headerBytes = 38
const encodings: readonly Encoding[] = ['raw', 'zstd']
/** zstd adds a few bytes to incompressible content; no honest object is longer. */
const packedOverheadBytes = 1024

/** The `content-type` of such a body. */
export const framesContentType = 'application/vnd.tandem.objects'

export async function* encodeFrames(
  objects: AsyncIterable<PackedObject> | Iterable<PackedObject>,
): AsyncGenerator<Uint8Array> {
  yield magic
  for await (const object of objects) {
    yield header(object)
    yield object.bytes
  }
  yield Buffer.of(0)
}

/**
 * The objects of a body, not yet verified. `E_USAGE` for a body that is malformed, too long for its kind, or truncated.
 */
export async function* decodeFrames(body: AsyncIterable<Uint8Array>): AsyncGenerator<PackedObject> {
  const reader = new ByteReader(body)
  try {
    if (!magic.equals(await reader.take(magic.length))) throw malformed('the stream does not begin with TDM1')
    for (;;) {
      const kindByte = (await reader.take(1))[0] as number // take gives exactly one byte
      if (kindByte === 0) break
      yield await readObject(reader, kindByte)
    }
    if (!(await reader.atEnd())) throw malformed('bytes follow the end of the stream')
  } finally {
    await reader.close()
  }
}

async function readObject(reader: ByteReader, kindByte: number): Promise<PackedObject> {
  const kind = objectKinds[kindByte - 1]
  const rest = await reader.take(headerBytes - 1)
  const encoding = encodings[rest.readUInt8(0)]
  const length = rest.readUInt32BE(1)
  if (kind === undefined || encoding === undefined) throw malformed('an object has an unknown kind or encoding')
  if (length > releaseLimits.objectBytes[kind] + packedOverheadBytes) {
    throw malformed(`a ${kind} of ${length} bytes is above the limit`)
  }
  const id = rest.subarray(5).toString('hex')
  return { key: objectKey(kind, id), encoding, bytes: await reader.take(length) }
}

function header({ key, encoding, bytes }: PackedObject): Buffer {
  const { kind, id } = splitKey(key)
  const head = Buffer.alloc(headerBytes)
  head.writeUInt8(objectKinds.indexOf(kind) + 1, 0)
  head.writeUInt8(encodings.indexOf(encoding), 1)
  head.writeUInt32BE(bytes.length, 2)
  head.write(id, 6, 'hex')
  return head
}

/** Takes exact lengths from a stream of pieces of any length; holds at most one object. */
class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#pieces = body[Symbol.asyncIterator]()
  }

  async take(length: number): Promise<Buffer> {
    if (this.#held.length < length) {
      const parts = [this.#held]
      let held = this.#held.length
      while (held < length) {
        const next = await this.#pieces.next()
        if (next.done === true) throw malformed('the stream was cut short')
        parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength))
        held += next.value.byteLength
      }
      this.#held = Buffer.concat(parts, held)
    }
    const taken = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return taken
  }

  async atEnd(): Promise<boolean> {
    while (this.#held.length === 0) {
      const next = await this.#pieces.next()
      if (next.done === true) return true
      this.#held = Buffer.from(next.value)
    }
    return false
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}

function malformed(why: string): OperatorError {
  return new OperatorError('E_USAGE', `a stream of objects is malformed: ${why}`, {
    next: 'try again; if the error persists, check that both ends run compatible versions of Tandem',
  })
}
