import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { OperatorError } from '../lib/operatorError.ts'
import { splitKey, type ObjectKey } from './objectKey.ts'
import { releaseLimits } from './releaseLimits.ts'

/**
 * An object as transferred and as stored: compressed if that saves space. Its id is the hash of the uncompressed
 * content.
 */
export interface PackedObject {
  key: ObjectKey
  encoding: Encoding
  bytes: Uint8Array
}

export type Encoding = 'raw' | 'zstd'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const level = 3
/** Below this size, the overhead of a frame costs more than compression saves. */
const worthCompressingBytes = 128
/** Up to this size, the round trip to a thread costs more than the work. */
const inlineBytes = 16 * 1024

export async function pack(key: ObjectKey, content: Uint8Array): Promise<PackedObject> {
  if (content.length >= worthCompressingBytes) {
    const options = {
      params: { [constants.ZSTD_c_compressionLevel]: level },
      // Without it, each compression and decompression allocates megabytes for a window that is larger than the object.
      pledgedSrcSize: content.length,
    }
    const isSmall = content.length <= inlineBytes
    const bytes = isSmall ? zstdCompressSync(content, options) : await compress(content, options)
    if (bytes.length < content.length * 0.95) return { key, encoding: 'zstd', bytes }
  }
  return { key, encoding: 'raw', bytes: content }
}

/** Returns the verified content. `E_RELEASE_CORRUPT` if it does not match the key or is larger than its kind allows. */
export async function unpack(object: PackedObject): Promise<Uint8Array> {
  if (object.encoding === 'raw' || object.bytes.length <= inlineBytes) return unpackSync(object)
  return verified(
    object.key,
    await decompress(object.bytes, bounded(object)).catch((error) => damaged(object.key, error)),
  )
}

export function unpackSync(object: PackedObject): Uint8Array {
  if (object.encoding === 'raw') return verified(object.key, object.bytes)
  let content: Uint8Array
  try {
    content = zstdDecompressSync(object.bytes, bounded(object))
  } catch (error) {
    return damaged(object.key, error)
  }
  return verified(object.key, content)
}

/** A small frame may expand to gigabytes; content above the limit of its kind is never decompressed. */
function bounded({ key, bytes }: PackedObject): { maxOutputLength: number; chunkSize: number } {
  const maxOutputLength = releaseLimits.objectBytes[splitKey(key).kind]
  return { maxOutputLength, chunkSize: Math.max(1024, Math.min(bytes.length * 8, maxOutputLength)) }
}

function verified(key: ObjectKey, content: Uint8Array): Uint8Array {
  const { kind, id } = splitKey(key)
  if (content.length > releaseLimits.objectBytes[kind] || hash('sha256', content, 'hex') !== id) damaged(key)
  return content
}

function damaged(key: ObjectKey, cause?: unknown): never {
  throw new OperatorError('E_RELEASE_CORRUPT', 'an object does not match its hash', {
    subject: key,
    next: 'Tandem fetches the object again if it can; otherwise publish the release again',
    cause,
  })
}
