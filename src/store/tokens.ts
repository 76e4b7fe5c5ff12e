import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../lib/hash.ts'

export type Role = 'operator' | 'reader' | 'agent'

/** The caller that a bearer token identifies. An agent's token is valid only for the agent's own machine. */
export interface TokenHolder {
  role: Role
  machine: string | null
  name: string
}

/** Bearer tokens, stored only as SHA-256: 32 random bytes need no slow hash. */
export class Tokens {
  #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Makes a token and returns it: it cannot be read again. */
  create(identity: TokenHolder, now: number): string {
    const token = `tdm_${randomBytes(32).toString('base64url')}`
    this.admit(token, identity, now)
    return token
  }

  /** Admits a token made elsewhere (`tandem up` on a laptop gives each child process its own). */
  admit(token: string, { role, machine, name }: TokenHolder, now: number): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO tokens (hash, role, machine, name, created_at) VALUES (?, ?, ?, ?, ?)')
      .run(sha256(token), role, machine, name, new Date(now).toISOString())
  }

  /** Finds the token's identity. Hashes are compared in constant time. */
  identify(token: string): TokenHolder | null {
    const given = Buffer.from(sha256(token), 'hex')
    let found: TokenHolder | null = null
    for (const row of this.#database.prepare('SELECT hash, role, machine, name FROM tokens').all()) {
      if (timingSafeEqual(given, Buffer.from(String(row['hash']), 'hex'))) {
        const machine = row['machine'] === null ? null : String(row['machine'])
        found = { role: row['role'] as Role, machine, name: String(row['name']) } // the schema checks the role
      }
    }
    return found
  }

  list(): (TokenHolder & { id: string; createdAt: string })[] {
    return this.#database
      .prepare('SELECT hash, role, machine, name, created_at FROM tokens ORDER BY created_at')
      .all()
      .map((row) => ({
        id: String(row['hash']).slice(0, 12),
        role: row['role'] as Role, // the schema checks the role
        machine: row['machine'] === null ? null : String(row['machine']),
        name: String(row['name']),
        createdAt: String(row['created_at']),
      }))
  }

  /** Removes tokens whose id starts with `prefix`; returns their number. */
  revoke(prefix: string): number {
    return Number(this.#database.prepare('DELETE FROM tokens WHERE hash LIKE ?').run(`${prefix}%`).changes)
  }
}
