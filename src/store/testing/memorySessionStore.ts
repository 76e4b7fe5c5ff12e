import { unwritable } from '../written.ts'
import type { SessionStore, StoredSession } from '../sessionStore.ts'

export class MemorySessionStore implements SessionStore {
  #sessions: StoredSession[] = []
  /** Every write fails. */
  isFull = false

  async all(): Promise<StoredSession[]> {
    return this.#sessions.toSorted((a, b) => a.startedAt - b.startedAt)
  }

  async put(session: StoredSession): Promise<void> {
    this.#refuseFull()
    this.#sessions = [...this.#sessions.filter(({ hash }) => hash !== session.hash), session]
  }

  async remove(hashes: readonly string[]): Promise<void> {
    if (hashes.length > 0) this.#refuseFull()
    this.#sessions = this.#sessions.filter(({ hash }) => !hashes.includes(hash))
  }

  #refuseFull(): void {
    if (this.isFull) throw unwritable('list of sessions', new Error('database or disk is full'))
  }
}
