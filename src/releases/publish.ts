import { closeSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { sha256 } from '../lib/hash.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { batches, inStreams } from './batches.ts'
import { smallFileBytes } from './durableWrite.ts'
import { changed } from './folderWalk.ts'
import { encodeFrames } from './objectFrames.ts'
import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { pack, type PackedObject } from './packedObject.ts'
import type { BlobSource, ReleaseDescription } from './releaseDescription.ts'
import { transferLimits } from './releaseLimits.ts'
import type { ReleaseTarget } from './releaseTarget.ts'

export interface PublishOptions {
  signal?: AbortSignal
  onProgress?: (progress: PublishProgress) => void
}

export interface PublishProgress {
  objects: number
  ofObjects: number
  /** Bytes as transferred, compressed. */
  sentBytes: number
}

export interface Published {
  id: string
  /** Objects and bytes transferred, including the manifest. */
  sentObjects: number
  sentBytes: number
}

/**
 * Brings a described release to a target: asks from the root down which trees the target lacks, sends the blobs that
 * these trees lack, then the trees from the leaves up, then the manifest. `E_RELEASE_CONTENT` if a file changed since
 * it was described.
 */
export async function publish(
  description: ReleaseDescription,
  target: ReleaseTarget,
  options: PublishOptions = {},
): Promise<Published> {
  const sent = { sentObjects: 0, sentBytes: 0 }
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptPublish(description, target, options, sent)
    } catch (error) {
      const isLost = error instanceof OperatorError && error.code === 'E_RELEASE_INCOMPLETE'
      if (!isLost || attempt >= transferLimits.publishAttempts) throw error
    }
  }
}

type Sent = Omit<Published, 'id'>

async function attemptPublish(
  description: ReleaseDescription,
  target: ReleaseTarget,
  options: PublishOptions,
  sent: Sent,
): Promise<Published> {
  const { trees, blobs } = await findMissing(description, target, options.signal)
  const ofObjects = sent.sentObjects + trees.length + blobs.length + 1
  const send = async (keys: ObjectKey[]): Promise<void> => {
    options.signal?.throwIfAborted()
    const objects = counted(readObjects(keys, description), (object) => {
      sent.sentObjects++
      sent.sentBytes += object.bytes.length
      options.onProgress?.({ objects: sent.sentObjects, ofObjects, sentBytes: sent.sentBytes })
    })
    await target.put(encodeFrames(objects))
  }
  await inStreams(
    batches(blobs, (key) => description.blobs.get(key)?.bytes ?? 0),
    send,
  )
  for (const batch of batches(trees.toReversed(), (key) => description.trees.get(key)?.bytes.length ?? 0)) {
    await send(batch)
  }
  options.signal?.throwIfAborted()
  const { id } = await target.commit(description.manifestBytes)
  if (id !== description.id) throw new Error(`published ${description.id}, but the target returned the id ${id}`)
  sent.sentObjects++
  sent.sentBytes += description.manifestBytes.length
  return { id, ...sent }
}

/** Lists parents before children. Nothing is asked about the objects below a tree that the target has. */
async function findMissing(
  description: ReleaseDescription,
  target: ReleaseTarget,
  signal?: AbortSignal,
): Promise<{ trees: ObjectKey[]; blobs: ObjectKey[] }> {
  const missingTrees = new Set<ObjectKey>()
  const wantedBlobs = new Set<ObjectKey>()
  const seen = new Set<ObjectKey>()
  let level: ObjectKey[] = [objectKey('tree', description.manifest.tree)]
  while (level.length > 0) {
    const next: ObjectKey[] = []
    for (const key of await askMissing(target, level, signal)) {
      missingTrees.add(key)
      for (const child of description.trees.get(key)?.children ?? []) {
        if (seen.has(child)) continue
        seen.add(child)
        if (splitKey(child).kind === 'tree') next.push(child)
        else wantedBlobs.add(child)
      }
    }
    level = next
  }
  const trees = [...description.trees.keys()].filter((key) => missingTrees.has(key))
  return { trees, blobs: await askMissing(target, [...wantedBlobs], signal) }
}

async function askMissing(target: ReleaseTarget, keys: ObjectKey[], signal?: AbortSignal): Promise<ObjectKey[]> {
  const missing = new Set<ObjectKey>()
  await inStreams(batches(keys), async (batch) => {
    signal?.throwIfAborted()
    for (const key of await target.missing(batch)) missing.add(key)
  })
  return keys.filter((key) => missing.has(key))
}

async function* readObjects(keys: ObjectKey[], description: ReleaseDescription): AsyncGenerator<PackedObject> {
  for (const key of keys) {
    const tree = description.trees.get(key)
    if (tree) {
      yield await pack(key, tree.bytes)
      continue
    }
    const source = description.blobs.get(key)
    if (!source) throw new Error(`the target requested ${key}, which is not part of this release`)
    yield await pack(key, await readBlob(key, source))
  }
}

async function readBlob(key: ObjectKey, source: BlobSource): Promise<Buffer> {
  const content = Buffer.allocUnsafe(source.bytes)
  const bytesRead = await readInto(content, source).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? changed(source.path) : error
  })
  if (bytesRead !== source.bytes || sha256(content) !== splitKey(key).id) throw changed(source.path)
  return content
}

const readLater = promisify(read)

async function readInto(content: Buffer, { path, offset, bytes }: BlobSource): Promise<number> {
  const file = openSync(path, 'r')
  try {
    if (bytes <= smallFileBytes) return readSync(file, content, 0, bytes, offset)
    return (await readLater(file, content, 0, bytes, offset)).bytesRead
  } finally {
    closeSync(file)
  }
}

async function* counted(
  objects: AsyncIterable<PackedObject>,
  count: (object: PackedObject) => void,
): AsyncGenerator<PackedObject> {
  for await (const object of objects) {
    yield object
    count(object)
  }
}
