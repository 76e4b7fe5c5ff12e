/** Join tokens on disk, by their SHA-256. Every implementation passes `joinStoreConformance.ts`. */
export interface JoinStore {
  /** Stores a token. Removes earlier tokens of this machine, and every token that expired before `now`. */
  put(join: StoredJoin, now: number): Promise<void>
  /**
   * Marks the token as used by `request` and returns the token's machine; `null` if the token is unknown, expired, or
   * was used by another request. Of two requests at the same time, only one gets the machine.
   */
  take(hash: string, request: string, now: number): Promise<string | null>
  /** Binds the token to the first key that comes with it. `refused`: it is bound to another key. */
  bind(hash: string, key: string): Promise<Bound>
  /** The token as it is now; `null` if it is unknown or has expired. */
  find(hash: string, now: number): Promise<FoundJoin | null>
  /** Marks the token as not used. */
  giveBack(hash: string): Promise<void>
  /** Removes the tokens of a machine. */
  forget(machine: string): Promise<void>
}

/** `again`: it was bound to this key before. */
export type Bound = 'first' | 'again' | 'refused'

export interface FoundJoin {
  machine: string
  isUsed: boolean
}

export interface StoredJoin {
  hash: string
  machine: string
  /** Milliseconds since 1970. */
  expiresAt: number
}
