export type Role = 'operator' | 'reader' | 'agent'

/** The caller that a bearer token identifies. An agent's token is valid only for the agent's own machine. */
export interface TokenHolder {
  role: Role
  machine: string | null
  name: string
}

export interface StoredToken extends TokenHolder {
  /** SHA-256 of the token, in hexadecimal. */
  hash: string
  createdAt: string
}

/** The bearer tokens on disk. Every implementation passes `tokenStoreConformance.ts`. */
export interface TokenStore {
  /** All tokens, oldest first. */
  all(): Promise<StoredToken[]>
  /** Stores a token; one with the same hash is replaced. */
  put(token: StoredToken): Promise<void>
  /** Removes tokens whose hash starts with `prefix`, and returns their hashes. */
  remove(prefix: string): Promise<string[]>
}
