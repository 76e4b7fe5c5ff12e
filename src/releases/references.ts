import { OperatorError } from '../lib/operatorError.ts'
import { childrenOf } from './objectChildren.ts'
import { splitKey, type ObjectKey } from './objectKey.ts'
import type { ReleaseStore } from './releaseStore.ts'

/** Largest number of references that are remembered, about 100 bytes each. */
const mostRemembered = 20_000

/**
 * The direct references of the objects in a store. The references of an object never change, so a collection reads
 * only objects that came since the one before. Above the limit, the other objects are read again each time.
 */
export class References {
  readonly #most: number
  readonly #known = new Map<ObjectKey, readonly ObjectKey[]>()
  #count = 0

  constructor(most = mostRemembered) {
    this.#most = most
  }

  /** A damaged or missing object has no references: it cannot be kept complete anyway. */
  async of(store: ReleaseStore, key: ObjectKey): Promise<readonly ObjectKey[]> {
    if (splitKey(key).kind === 'blob') return []
    const known = this.#known.get(key)
    if (known) return known
    try {
      const children = childrenOf(key, await store.get(key))
      this.#remember(key, children)
      return children
    } catch (error) {
      if (error instanceof OperatorError) return []
      throw error
    }
  }

  /** Forgets all objects except these. */
  keep(stored: { has: (key: ObjectKey) => boolean }): void {
    for (const [key, children] of this.#known) {
      if (stored.has(key)) continue
      this.#known.delete(key)
      this.#count -= children.length
    }
  }

  #remember(key: ObjectKey, children: readonly ObjectKey[]): void {
    if (this.#count + children.length > this.#most) return
    this.#known.set(key, children)
    this.#count += children.length
  }
}
