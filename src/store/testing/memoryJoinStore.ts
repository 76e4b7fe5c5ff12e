import type { Bound, FoundJoin, JoinStore, StoredJoin } from '../joinStore.ts'

export class MemoryJoinStore implements JoinStore {
  #joins: (StoredJoin & { usedBy: string | null })[] = []
  readonly #keys = new Map<string, string>()

  async put(join: StoredJoin, now: number): Promise<void> {
    this.#joins = this.#joins.filter(({ machine, expiresAt }) => machine !== join.machine && expiresAt >= now)
    this.#joins.push({ ...join, usedBy: null })
  }

  async take(hash: string, request: string, now: number): Promise<string | null> {
    const join = this.#joins.find((one) => one.hash === hash && one.expiresAt >= now)
    if (!join || (join.usedBy !== null && join.usedBy !== request)) return null
    join.usedBy = request
    return join.machine
  }

  async bind(hash: string, key: string): Promise<Bound> {
    const bound = this.#keys.get(hash)
    if (bound !== undefined) return bound === key ? 'again' : 'refused'
    this.#keys.set(hash, key)
    return 'first'
  }

  async find(hash: string, now: number): Promise<FoundJoin | null> {
    const join = this.#joins.find((one) => one.hash === hash && one.expiresAt >= now)
    return join ? { machine: join.machine, isUsed: join.usedBy !== null } : null
  }

  async giveBack(hash: string): Promise<void> {
    for (const join of this.#joins) if (join.hash === hash) join.usedBy = null
  }

  async forget(machine: string): Promise<void> {
    this.#joins = this.#joins.filter((join) => join.machine !== machine)
  }
}
