import type { SessionStore, StoredSession } from '../sessionStore.ts'

export class MemorySessionStore implements SessionStore {
  #sessions: StoredSession[] = []

  async all(): Promise<StoredSession[]> {
    return this.#sessions.toSorted((a, b) => a.startedAt - b.startedAt)
  }

  async put(session: StoredSession): Promise<void> {
    this.#sessions = [...this.#sessions.filter(({ hash }) => hash !== session.hash), session]
  }

  async remove(hashes: readonly string[]): Promise<void> {
    this.#sessions = this.#sessions.filter(({ hash }) => !hashes.includes(hash))
  }
}
