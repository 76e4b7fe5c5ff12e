import { OperatorError } from '../../lib/operatorError.ts'
import { splitKey, type ObjectKey, type ObjectKind } from '../objectKey.ts'
import { unpack, type PackedObject } from '../packedObject.ts'
import type { ReleaseStore, StoredObject } from '../releaseStore.ts'

/** A store in memory, whose next call fails as the test decides. */
export class FakeReleaseStore implements ReleaseStore {
  readonly #objects = new Map<ObjectKey, PackedObject & { storedAtMs: number }>()
  readonly #now: () => number
  /** Keys in the order of their removal. */
  readonly removed: ObjectKey[] = []
  #failure: Error | null = null

  constructor(now: () => number = () => Date.now()) {
    this.#now = now
  }

  /** The next call that reads or writes rejects with this error, and changes nothing. */
  failNext(error: Error): void {
    this.#failure = error
  }

  /** Replaces the bytes of an object, like a bad disk. */
  damage(key: ObjectKey): void {
    const object = this.#objects.get(key)
    if (object) this.#objects.set(key, { ...object, encoding: 'raw', bytes: Buffer.from('damaged') })
  }

  async has(keys: readonly ObjectKey[]): Promise<Set<ObjectKey>> {
    this.#mayFail()
    return new Set(keys.filter((key) => this.#objects.has(key)))
  }

  async get(key: ObjectKey): Promise<Uint8Array> {
    return unpack(await this.getPacked(key))
  }

  async getPacked(key: ObjectKey): Promise<PackedObject> {
    this.#mayFail()
    const object = this.#objects.get(key)
    if (!object) throw new OperatorError('E_RELEASE_GONE', 'an object is missing from the store', { subject: key })
    return { key, encoding: object.encoding, bytes: object.bytes }
  }

  async put(object: PackedObject): Promise<void> {
    this.#mayFail()
    this.#objects.set(object.key, { ...object, bytes: Uint8Array.from(object.bytes), storedAtMs: this.#now() })
  }

  async flush(): Promise<void> {
    this.#mayFail()
  }

  async *list(kind?: ObjectKind): AsyncGenerator<StoredObject> {
    this.#mayFail()
    for (const [key, { bytes, storedAtMs }] of this.#objects) {
      if (kind === undefined || splitKey(key).kind === kind) yield { key, bytes: bytes.length, storedAtMs }
    }
  }

  async remove(keys: readonly ObjectKey[]): Promise<void> {
    this.#mayFail()
    for (const key of keys) if (this.#objects.delete(key)) this.removed.push(key)
  }

  usedBytes(): number {
    return [...this.#objects.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  #mayFail(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure) throw failure
  }
}
