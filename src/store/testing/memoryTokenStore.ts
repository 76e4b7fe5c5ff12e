import type { StoredToken, TokenStore } from '../tokenStore.ts'

export class MemoryTokenStore implements TokenStore {
  #tokens: StoredToken[] = []

  async all(): Promise<StoredToken[]> {
    return this.#tokens.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  async put(token: StoredToken): Promise<void> {
    this.#tokens = [...this.#tokens.filter(({ hash }) => hash !== token.hash), token]
  }

  async remove(prefix: string): Promise<string[]> {
    const removed = this.#tokens.filter(({ hash }) => hash.startsWith(prefix))
    this.#tokens = this.#tokens.filter((token) => !removed.includes(token))
    return removed.map(({ hash }) => hash)
  }
}
