import type { HttpPlannedRoute, PlannedRoute, RoutingPlan, TcpPlannedRoute } from './balancer.ts'
import { instanceHost, type BalancerLimits } from './limits.ts'
import type { SocketAddress } from './openSocket.ts'
import { Router } from './router.ts'
import { Upstream } from './upstream.ts'

/** A planned route with its upstreams. */
export interface BoundRoute<Planned extends PlannedRoute = PlannedRoute> {
  planned: Planned
  /** Local instances that take new work. */
  instances: Upstream[]
  peers: Upstream[]
  /** Position of the round robin among equal upstreams; shared by the routes of one service. */
  turn: { next: number }
}

interface Bound {
  http: Router<{ host: string | null; path: string; route: BoundRoute<HttpPlannedRoute> }>
  httpByName: Map<string, BoundRoute<HttpPlannedRoute>>
  tcpByName: Map<string, BoundRoute<TcpPlannedRoute>>
}

export interface TableEvents {
  /** There is no work left on an instance that takes no new work. */
  idle(upstream: Upstream): void
  /** The plan no longer sends new work to this upstream. */
  inactive(upstream: Upstream): void
}

/**
 * The plan in force. `apply` replaces it in one synchronous step. An upstream that no plan names is kept until its work
 * has ended.
 */
export class RoutingTable {
  readonly #limits: BalancerLimits
  readonly #events: TableEvents
  readonly #instances = new Map<string, Upstream>()
  readonly #peers = new Map<string, Upstream>()
  #bound: Bound = { http: new Router([]), httpByName: new Map(), tcpByName: new Map() }

  #planned = false

  constructor(limits: BalancerLimits, events: TableEvents) {
    this.#limits = limits
    this.#events = events
  }

  /** A plan is in force, so a request without a route in it has none at all (404, not 503). */
  get planned(): boolean {
    return this.#planned
  }

  http(asked: { host: string; path: string; route: string | null }): BoundRoute<HttpPlannedRoute> | null {
    const { http, httpByName } = this.#bound
    if (asked.route !== null) return httpByName.get(asked.route) ?? null
    return http.match(asked.host, asked.path)?.route ?? null
  }

  tcpByName(name: string): BoundRoute<TcpPlannedRoute> | null {
    return this.#bound.tcpByName.get(name) ?? null
  }

  instance(name: string): Upstream | null {
    return this.#instances.get(name) ?? null
  }

  apply(plan: RoutingPlan): void {
    const all = [...this.#instances.values(), ...this.#peers.values()]
    const before = new Map(all.map((upstream) => [upstream, upstream.active || !upstream.named]))
    for (const upstream of all) upstream.active = upstream.named = false
    this.#bound = this.#bind(plan)
    this.#planned = true
    for (const upstream of all) {
      if (upstream.active) continue
      this.#events.inactive(upstream)
      if (upstream.load === 0 && (before.get(upstream) || !upstream.named)) this.#becameIdle(upstream)
    }
  }

  async destroy(): Promise<void> {
    const all = [...this.#instances.values(), ...this.#peers.values()]
    this.apply({ position: 0, machine: '', routes: [] })
    for (const upstream of all) upstream.cut()
    await Promise.all(all.map((upstream) => upstream.pool.destroy()))
  }

  #bind(plan: RoutingPlan): Bound {
    const turns = new Map<string, { next: number }>()
    const http: { host: string | null; path: string; route: BoundRoute<HttpPlannedRoute> }[] = []
    const bound: Omit<Bound, 'http'> = { httpByName: new Map(), tcpByName: new Map() }
    for (const planned of plan.routes) {
      const turn = turns.get(planned.service) ?? { next: 0 }
      turns.set(planned.service, turn)
      const ways = { instances: this.#bindTargets(planned), peers: this.#bindPeers(planned), turn }
      if (planned.kind === 'http') {
        const route = { planned, ...ways }
        if (planned.own === null) http.push({ host: planned.host, path: planned.path, route })
        else bound.httpByName.set(planned.own.name, route)
      } else {
        const route = { planned, ...ways }
        for (const name of [planned.own.name, ...planned.own.also]) bound.tcpByName.set(name, route)
      }
    }
    return { http: new Router(http), ...bound }
  }

  #bindTargets(planned: PlannedRoute): Upstream[] {
    const active: Upstream[] = []
    for (const target of planned.targets) {
      const address = { host: instanceHost, port: target.port }
      const upstream = this.#upstream(this.#instances, 'instance', target.instance, address)
      upstream.named = true
      if (target.state !== 'active') continue
      upstream.active = true
      upstream.stopping = false
      active.push(upstream)
    }
    return active
  }

  #bindPeers(planned: PlannedRoute): Upstream[] {
    return planned.peers.map(({ machine, host, port }) => {
      const upstream = this.#upstream(this.#peers, 'peer', `${machine} ${host}:${port}`, { host, port })
      upstream.named = upstream.active = true
      return upstream
    })
  }

  #upstream(known: Map<string, Upstream>, kind: Upstream['kind'], name: string, address: SocketAddress): Upstream {
    const found = known.get(name)
    if (found && found.address.port === address.port) return found
    const made = new Upstream(name, kind, address, this.#limits, (upstream) => {
      if (!upstream.active) this.#becameIdle(upstream)
    })
    known.set(name, made)
    return made
  }

  #becameIdle(upstream: Upstream): void {
    const known = upstream.kind === 'instance' ? this.#instances : this.#peers
    if (!upstream.named) {
      void upstream.pool.release()
      if (known.get(upstream.name) !== upstream) return // another port has its name now
      known.delete(upstream.name)
    }
    if (upstream.kind === 'instance') this.#events.idle(upstream)
  }
}
