import type { BalancerCounters } from '../../drivers/balancer/balancer.ts'

/** How long after the last refusal the problem is still reported. */
const saidMs = 60_000

/** Notices when the machine's entries are full: without a report, operators would learn of the limit from customers. */
export class FullEntries {
  #refused: number | null = null
  #since = 0
  #lastAt = -Infinity

  /** Returns the current problems in words; `now` is in milliseconds of a clock that nothing sets back. */
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
    return [
      `the entries of this machine are full: ${many} connections refused recently; ${openConnections} open connections continue`,
    ]
  }
}
