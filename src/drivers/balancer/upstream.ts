import type { BalancerLimits } from './limits.ts'
import type { SocketAddress } from './openSocket.ts'
import { UpstreamPool } from './upstreamPool.ts'

/** One piece of work on an instance: a request, a WebSocket, a TCP connection. */
export interface Work {
  /** It lives until the drain deadline: a WebSocket, a TCP connection, an event stream. */
  readonly long: boolean
  /** Ends it now. */
  cut(): void
}

/** Where work can go: an instance on this machine, or another machine's balancer. */
export class Upstream {
  /** The instance, or the peer's machine. */
  readonly name: string
  readonly kind: 'instance' | 'peer'
  readonly address: SocketAddress
  readonly pool: UpstreamPool
  /** Named as active (or as a peer) by the plan in force. Only then does new work go here. */
  active = false
  /** Named by the plan in force, active or draining. */
  named = false
  /** It is about to be stopped: what it has still is not finished any more, and may have done its work. */
  stopping = false
  /** Why it is out of traffic; `null` while it is in. */
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
    const present = [...this.#work] // what is cut may come back as a new attempt
    for (const work of present) work.cut()
  }
}
