import { randomBytes, timingSafeEqual } from 'node:crypto'
import { sha256 } from '../lib/hash.ts'
import type { StoredToken, TokenHolder, TokenStore } from './tokenStore.ts'

interface Known extends StoredToken {
  bytes: Buffer
}

/**
 * Bearer tokens, stored only as SHA-256: 32 random bytes need no slow hash. Every request shows a token, so they are
 * kept in memory; a change is stored first. Only one process changes the tokens of a store.
 */
export class Tokens {
  #store: TokenStore
  #known: Known[]

  static async open(store: TokenStore): Promise<Tokens> {
    return new Tokens(store, await store.all())
  }

  private constructor(store: TokenStore, stored: StoredToken[]) {
    this.#store = store
    this.#known = stored.map(known)
  }

  /** Makes a token and returns it: it cannot be read again. */
  async create(holder: TokenHolder, now: number): Promise<string> {
    const token = `tdm_${randomBytes(32).toString('base64url')}`
    await this.admit(token, holder, now)
    return token
  }

  /**
   * Admits a token made elsewhere (`tandem up` on a laptop gives each child process its own). Each start of
   * the controller admits them again: a token that is admitted already keeps its time of creation, and needs no write.
   */
  async admit(token: string, { role, machine, name }: TokenHolder, now: number): Promise<void> {
    const held = this.identify(token)
    if (held?.role === role && held.machine === machine && held.name === name) return
    const stored = { hash: sha256(token), role, machine, name, createdAt: new Date(now).toISOString() }
    await this.#store.put(stored)
    this.#known = [...this.#known.filter(({ hash }) => hash !== stored.hash), known(stored)]
  }

  /** Finds the token's holder. */
  identify(token: string): TokenHolder | null {
    return this.holderOf(sha256(token))
  }

  /** Finds the holder by the token's SHA-256. Hashes are compared in constant time. */
  holderOf(hash: string): TokenHolder | null {
    const given = Buffer.from(hash, 'hex')
    let found: TokenHolder | null = null
    for (const { bytes, role, machine, name } of this.#known) {
      if (timingSafeEqual(given, bytes)) found = { role, machine, name }
    }
    return found
  }

  list(): (TokenHolder & { id: string; createdAt: string })[] {
    return this.#known
      .map(({ hash, role, machine, name, createdAt }) => ({ id: hash.slice(0, 12), role, machine, name, createdAt }))
      .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0))
  }

  /** Removes tokens whose id starts with `prefix`; returns their number. */
  async revoke(prefix: string): Promise<number> {
    const removed = new Set(await this.#store.remove(prefix.toLowerCase()))
    this.#known = this.#known.filter(({ hash }) => !removed.has(hash))
    return removed.size
  }
}

const known = (token: StoredToken): Known => ({ ...token, bytes: Buffer.from(token.hash, 'hex') })
