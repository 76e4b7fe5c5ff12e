import type { BalancerLimits } from './limits.ts'
import { openSocket } from './openSocket.ts'
import type { Upstream } from './upstream.ts'

/**
 * Takes dead upstreams out of traffic. `in` -> `ejected` when a connection cannot be made; back to `in` when a
 * background TCP connection succeeds, or when the plan no longer sends work there (`forget`).
 */
export class Ejector {
  readonly #limits: BalancerLimits
  readonly #onChange: (upstream: Upstream) => void
  readonly #timers = new Map<Upstream, NodeJS.Timeout>()
  #closed = false

  constructor(limits: BalancerLimits, onChange: (upstream: Upstream) => void) {
    this.#limits = limits
    this.#onChange = onChange
  }

  eject(upstream: Upstream, reason: string): void {
    if (upstream.ejected !== null || !upstream.active || this.#closed) return
    upstream.ejected = reason
    this.#onChange(upstream)
    this.#checkAfter(upstream, this.#limits.ejectedMs)
  }

  /** Without a notice: the plan now decides about this upstream. */
  forget(upstream: Upstream): void {
    clearTimeout(this.#timers.get(upstream))
    this.#timers.delete(upstream)
    upstream.ejected = null
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #checkAfter(upstream: Upstream, delayMs: number): void {
    if (this.#closed || upstream.ejected === null) return
    const timer = setTimeout(() => {
      openSocket(upstream.address, this.#limits.connectMs, (error, socket) => {
        socket.destroy()
        if (this.#timers.get(upstream) !== timer) return
        if (error) this.#checkAfter(upstream, Math.min(delayMs * 2, this.#limits.ejectedMaxMs))
        else this.#restore(upstream)
      })
    }, delayMs)
    timer.unref()
    this.#timers.set(upstream, timer)
  }

  #restore(upstream: Upstream): void {
    this.forget(upstream)
    this.#onChange(upstream)
  }
}
