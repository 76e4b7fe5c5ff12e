import type { BalancerCounters } from '../drivers/balancer/balancer.ts'

/** How long after the last refusal it is still said. */
const saidMs = 60_000

/** Notices when the machine's entries are full: a limit that is met in silence is found out from the customers. */
export class FullEntries {
  #refused: number | null = null
  #since = 0
  #lastAt = -Infinity

  /** What to say now, in words; `now` is milliseconds that no setting of the clock moves. */
  problems({ refused, openConnections }: BalancerCounters, now: number): string[] {
    const count = refused.find(({ reason }) => reason === 'connections')?.count ?? 0
    this.#refused ??= count
    if (count > this.#refused) {
      if (now - this.#lastAt > saidMs) this.#since = this.#refused
      this.#lastAt = now
    }
    this.#refused = count
    if (now - this.#lastAt > saidMs) return []
    const many = count - this.#since
    return [`its entries are full: ${many} connections refused lately, ${openConnections} open; those go on`]
  }
}
