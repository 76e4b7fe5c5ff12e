import { randomBytes } from 'node:crypto'
import { sha256 } from '../lib/hash.ts'
import type { Bound, FoundJoin, JoinStore } from './joinStore.ts'

/**
 * Tokens that let one machine join once, for a limited time; stored only as SHA-256. Times in milliseconds since 1970.
 */
export class Joins {
  #store: JoinStore

  constructor(store: JoinStore) {
    this.#store = store
  }

  /** Makes a token and returns it: it cannot be read again. Earlier tokens for this machine are revoked. */
  async create(machine: string, now: number, forMs: number): Promise<{ token: string; expiresAt: number }> {
    const token = `tdj_${randomBytes(32).toString('base64url')}`
    const expiresAt = now + forMs
    await this.#store.put({ hash: sha256(token), machine, expiresAt }, now)
    return { token, expiresAt }
  }

  /**
   * Uses a token for this request and returns the token's machine; `null` if the token is unknown, expired, or was used
   * for another request. The same request may come again: the answer to the first one may not have arrived.
   */
  take(token: string, request: string, now: number): Promise<string | null> {
    return this.#store.take(sha256(token), sha256(request), now)
  }

  /** Binds the token to the first key that comes with it. */
  bind(token: string, key: string): Promise<Bound> {
    return this.#store.bind(sha256(token), key)
  }

  /** The token as it is now; `null` if it is unknown or has expired. */
  find(token: string, now: number): Promise<FoundJoin | null> {
    return this.#store.find(sha256(token), now)
  }

  /** Releases a token that was taken for a join that failed. */
  giveBack(token: string): Promise<void> {
    return this.#store.giveBack(sha256(token))
  }

  /** Deletes the tokens of a removed machine. */
  forget(machine: string): Promise<void> {
    return this.#store.forget(machine)
  }
}
