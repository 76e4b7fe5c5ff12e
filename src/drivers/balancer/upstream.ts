import type { BalancerLimits } from './limits.ts'
import type { SocketAddress } from './openSocket.ts'
import { UpstreamPool } from './upstreamPool.ts'

/** One piece of work on an instance: a request, a WebSocket, a TCP connection. */
export interface Work {
  /** The work lives until the drain deadline: a WebSocket, a TCP connection, an event stream. */
  readonly long: boolean
  /** Ends the work now. */
  cut(): void
}

/** A destination for work: an instance on this machine, or the balancer of another machine. */
export class Upstream {
  /** Name of the instance, or of the machine of the peer. */
  readonly name: string
  readonly kind: 'instance' | 'peer'
  readonly address: SocketAddress
  readonly pool: UpstreamPool
  /** The plan in force names this upstream as active (or as a peer). Only then does it get new work. */
  active = false
  /** The plan in force names this upstream, active or draining. */
  named = false
  /** The instance is about to be stopped: its remaining work will not finish any more, and may have had its effect. */
  stopping = false
  /** The reason why the upstream is out of traffic; `null` while it is in traffic. */
  ejected: string | null = null
  readonly #work = new Set<Work>()
  readonly #onIdle: (upstream: Upstream) => void

  constructor(
    name: string,
    kind: Upstream['kind'],
    address: SocketAddress,
    limits: BalancerLimits,
    onIdle: (upstream: Upstream) => void,
  ) {
    this.name = name
    this.kind = kind
    this.address = address
    this.pool = new UpstreamPool(address, limits)
    this.#onIdle = onIdle
  }

  get load(): number {
    return this.#work.size
  }

  inFlight(): { work: number; long: number } {
    let long = 0
    for (const work of this.#work) if (work.long) long += 1
    return { work: this.#work.size, long }
  }

  began(work: Work): void {
    this.#work.add(work)
  }

  ended(work: Work): void {
    if (this.#work.delete(work) && this.#work.size === 0) this.#onIdle(this)
  }

  cut(): void {
    const present = [...this.#work] // work that is cut may come back as a new attempt
    for (const work of present) work.cut()
  }
}
