import type { PlannedRoute } from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import type { BoundRoute } from './routingTable.ts'
import type { Upstream } from './upstream.ts'

/**
 * How one upstream failed one piece of work: `unreachable` (no connection), `unsent` (the connection ended before any
 * byte was sent), `broken` (some bytes were sent, and no answer came), `unprocessed` (a peer without a ready instance
 * refused the work before it read the body).
 */
export type Failure = 'unreachable' | 'unsent' | 'broken' | 'unprocessed'

/** A request that ends one instance may also end the next: it is sent again once, and no more. */
const sendsAtMost = 2

/**
 * Finds an upstream for one piece of work, again and again until the work is done or no upstream is left, always by the
 * plan in force at that moment. Local instances come first, then peers, then ejected upstreams, last the upstreams that
 * broke once.
 */
export class Search<Planned extends PlannedRoute = PlannedRoute> {
  readonly #services: BalancerServices
  readonly #lookUp: () => BoundRoute<Planned> | null
  readonly #forwarded: boolean
  #failures: Map<Upstream, Failure> | null = null
  #sends: number
  #attempts = 0
  #holdUntil: number | null = null
  #leave: (() => void) | null = null

  /**
   * `forwarded`: the work came from another machine; only local instances may take it. `sentBefore`: it broke at an
   * instance of another machine.
   */
  constructor(
    services: BalancerServices,
    lookUp: () => BoundRoute<Planned> | null,
    { forwarded, sentBefore }: { forwarded: boolean; sentBefore: boolean },
  ) {
    this.#services = services
    this.#lookUp = lookUp
    this.#forwarded = forwarded
    this.#sends = sentBefore ? 1 : 0
  }

  /** Part of the work has reached an instance, here or on another machine, and no answer came. */
  get sent(): boolean {
    return this.#sends > 0
  }

  /** The route in force, and the upstream to try now (`null`: none left). The result is `null` if there is no route. */
  next(): { route: BoundRoute<Planned>; upstream: Upstream | null } | null {
    const route = this.#lookUp()
    if (!route) return null
    if (this.#attempts >= this.#services.limits.attempts) return { route, upstream: null }
    this.#attempts += 1
    return { route, upstream: this.#choose(route) }
  }

  /** Returns false if the work has been sent as often as allowed. */
  failed(upstream: Upstream, failure: Failure, reason: string): boolean {
    if (failure === 'unreachable') this.#services.ejector.eject(upstream, reason)
    if (failure === 'broken') this.#sends += 1
    this.#failures ??= new Map()
    // After a second failure, the cause is not a kept-alive connection that happened to end.
    const twice = connected(failure) && this.#failures.has(upstream)
    this.#failures.set(upstream, twice ? 'unreachable' : failure)
    return this.#sends < sendsAtMost
  }

  /**
   * Waits for a change, if the route allows it (`no`), time is left (`over`) and the limit of waiting work is not
   * reached (`full`).
   */
  hold(route: BoundRoute<Planned>, wake: () => void, expire: () => void): 'held' | 'no' | 'over' | 'full' {
    const { clock, holder } = this.#services
    if (route.planned.holdMs === null || this.#forwarded) return 'no'
    this.#holdUntil ??= clock.monotonic() + route.planned.holdMs
    const leftMs = this.#holdUntil - clock.monotonic()
    if (leftMs <= 0) return 'over'
    this.#leave = holder.hold(
      route.planned.service,
      leftMs,
      () => {
        this.#failures = null
        this.#attempts = 0
        this.#leave = null
        wake()
      },
      expire,
    )
    return this.#leave === null ? 'full' : 'held'
  }

  /** The client is gone. */
  leave(): void {
    this.#leave?.()
    this.#leave = null
  }

  #choose(route: BoundRoute<Planned>): Upstream | null {
    const peers = this.#forwarded ? [] : route.peers
    const failures = this.#failures
    // The entry knows the other machines, and may come back here.
    const again = this.#forwarded ? [] : [...route.instances, ...peers]
    const untried = (upstream: Upstream): boolean => failures === null || !failures.has(upstream)
    const fit = (upstream: Upstream): boolean => upstream.ejected === null && untried(upstream)
    return (
      leastLoaded(route.instances, fit, route.turn) ??
      leastLoaded(peers, fit, route.turn) ??
      leastLoaded(route.instances, untried, route.turn) ??
      leastLoaded(peers, untried, route.turn) ??
      leastLoaded(again, (upstream) => connected(failures?.get(upstream)), route.turn)
    )
  }
}

function connected(failure: Failure | undefined): boolean {
  return failure === 'broken' || failure === 'unsent'
}

/** The upstream with the least work in flight; among equals, the first at or after the turn. */
function leastLoaded(
  upstreams: Upstream[],
  fit: (upstream: Upstream) => boolean,
  turn: { next: number },
): Upstream | null {
  let best: Upstream | null = null
  const start = turn.next
  for (let step = 0; step < upstreams.length; step += 1) {
    const upstream = upstreams[(start + step) % upstreams.length]
    if (upstream && fit(upstream) && (best === null || upstream.load < best.load)) {
      best = upstream
      turn.next = start + step + 1
    }
  }
  if (turn.next > 1_000_000) turn.next %= upstreams.length || 1
  return best
}
