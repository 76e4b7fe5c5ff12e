import type { BalancerCounters } from './balancer.ts'

export type RefusalReason =
  | 'connections'
  | 'held'
  | 'headers'
  | 'malformed'
  | 'body'
  | 'no-route'
  | 'no-instance'
  | 'not-forwarded'
  | 'unprocessed'

/** Counters of the balancer since its start. */
export class Metrics {
  retries = 0
  readonly #requests = new Map<string, number[]>()
  readonly #connected = new Map<string, number>()
  readonly #refused = new Map<RefusalReason, number>()

  answered(service: string, status: number): void {
    let classes = this.#requests.get(service)
    if (!classes) this.#requests.set(service, (classes = [0, 0, 0, 0, 0, 0]))
    const group = Math.floor(status / 100)
    classes[group] = (classes[group] ?? 0) + 1
  }

  /** A TCP connection has reached an instance or a peer. */
  connected(service: string): void {
    this.#connected.set(service, (this.#connected.get(service) ?? 0) + 1)
  }

  refused(reason: RefusalReason): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
  }

  counters(now: { held: number; openConnections: number }): BalancerCounters {
    const requests = [...this.#requests].flatMap(([service, classes]) =>
      classes.flatMap((count, group) => (count === 0 ? [] : [{ service, statusClass: `${group}xx`, count }])),
    )
    for (const [service, count] of this.#connected) requests.push({ service, statusClass: 'tcp', count })
    const refused = [...this.#refused].map(([reason, count]) => ({ reason, count }))
    return { requests, retries: this.retries, refused, ...now }
  }
}
