import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { sha256 } from '../lib/hash.ts'

/**
 * Tokens that let one machine join once, for a limited time; stored only as SHA-256. Times in milliseconds since 1970.
 */
export class Joins {
  #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Makes a token and returns it: it cannot be read again. Earlier tokens for this machine are revoked. */
  create(machine: string, now: number, forMs: number): { token: string; expiresAt: number } {
    const token = `tdj_${randomBytes(32).toString('base64url')}`
    const expiresAt = now + forMs
    this.#database.prepare('DELETE FROM joins WHERE machine = ? OR expires_at < ?').run(machine, now)
    this.#database
      .prepare('INSERT INTO joins (hash, machine, expires_at) VALUES (?, ?, ?)')
      .run(sha256(token), machine, expiresAt)
    return { token, expiresAt }
  }

  /**
   * Uses a token for this request and returns the token's machine; `null` if the token is unknown, expired, or was used
   * for another request. The same request may come again: the answer to the first one may not have arrived.
   */
  take(token: string, request: string, now: number): string | null {
    const mine = sha256(request)
    const row = this.#database
      .prepare(
        `UPDATE joins SET used_at = ?, used_by = ?
         WHERE hash = ? AND (used_at IS NULL OR used_by = ?) AND expires_at >= ? RETURNING machine`,
      )
      .get(now, mine, sha256(token), mine, now)
    return row === undefined ? null : String(row['machine'])
  }

  /** Whether `take` would accept the token now. */
  isGood(token: string, now: number): boolean {
    const good = 'SELECT 1 FROM joins WHERE hash = ? AND expires_at >= ?'
    return this.#database.prepare(good).get(sha256(token), now) !== undefined
  }

  /** Releases a token that was taken for a join that failed. */
  giveBack(token: string): void {
    this.#database.prepare('UPDATE joins SET used_at = NULL, used_by = NULL WHERE hash = ?').run(sha256(token))
  }

  /** Deletes the tokens of a removed machine. */
  forget(machine: string): void {
    this.#database.prepare('DELETE FROM joins WHERE machine = ?').run(machine)
  }
}
