import { isIP } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { PlannedRoute, RoutingPlan, Unserved } from '../balancer.ts'
import { peerName } from './configuredServer.ts'
import type { RunningServer } from './runningServers.ts'

export type Lookup = (host: string) => Promise<{ address: string }>

/**
 * Looks up the names of other machines: all at once, and with a timeout, because the name server may be unreachable.
 */
export class PeerAddresses {
  readonly #lookup: Lookup
  readonly #mostMs: number
  /** One lookup at a time for each name: the next plan must not add a lookup to one that hangs. */
  readonly #underWay = new Map<string, Promise<string | null>>()

  constructor(lookup: Lookup, mostMs: number) {
    this.#lookup = lookup
    this.#mostMs = mostMs
  }

  /** Addresses by name; without the names that were not found in time. */
  async of(plan: RoutingPlan): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    const hosts = new Set(plan.routes.flatMap(({ peers }) => peers.map((peer) => peer.host)))
    const all = [...hosts].map(async (host) => {
      const address = await this.#addressOf(host)
      if (address !== null) found.set(host, address)
    })
    await Promise.race([Promise.all(all), pause(this.#mostMs, undefined, { ref: false })])
    return new Map(found)
  }

  #addressOf(host: string): Promise<string | null> {
    if (isIP(host)) return Promise.resolve(host)
    const known = this.#underWay.get(host)
    if (known) return known
    const asked = this.#lookup(host)
      .then(
        ({ address }) => address,
        () => null,
      )
      .finally(() => this.#underWay.delete(host))
    this.#underWay.set(host, asked)
    return asked
  }
}

/**
 * HAProxy gets addresses, not names: a name that cannot be resolved must not prevent its start. A machine whose name
 * was not found keeps the address that HAProxy has for it.
 */
export function withAddresses(
  plan: RoutingPlan,
  found: ReadonlyMap<string, string>,
  running: RunningServer[],
): { plan: RoutingPlan; unserved: Unserved[] } {
  // Of several addresses, prefers one in use: a leftover server may date from before the machine moved.
  const byUse = running.toSorted((a, b) => Number(a.active) - Number(b.active))
  const before = new Map(byUse.map(({ name, host }) => [name, host]))
  const unserved: Unserved[] = []
  const routes = plan.routes.map((route): PlannedRoute => {
    const peers = route.peers.flatMap((peer) => {
      const host = found.get(peer.host) ?? before.get(peerName(peer.machine))
      if (host !== undefined) return [{ ...peer, host }]
      const reason = `the name ${peer.host} of machine ${peer.machine} cannot be resolved, so this machine forwards no requests of ${route.service} there`
      unserved.push({ service: route.service, reason })
      return []
    })
    return { ...route, peers }
  })
  return { plan: { ...plan, routes }, unserved }
}
