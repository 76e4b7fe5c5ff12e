/** A browser that may call the API as the holder of a token. Times in milliseconds since 1970. */
export interface StoredSession {
  /** SHA-256 of the session's key, in hexadecimal. */
  hash: string
  /** SHA-256 of the token whose holder opened the session. */
  token: string
  /** Id of the tunnel whose end ends the session; `null`: its link was made for no tunnel. */
  tunnel: string | null
  startedAt: number
  expiresAt: number
}

/** The sessions on disk. Every implementation passes `sessionStoreConformance.ts`. */
export interface SessionStore {
  /** All sessions, oldest first. */
  all(): Promise<StoredSession[]>
  /** Stores a session; one with the same hash is replaced. */
  put(session: StoredSession): Promise<void>
  /** Removes the sessions with these hashes; unknown ones are ignored. */
  remove(hashes: readonly string[]): Promise<void>
}
