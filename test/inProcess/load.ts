import { every, sleep } from '../../src/lib/clock.ts'
import type { Cluster } from './cluster.ts'
import type { Machine } from './machine.ts'

interface Options {
  service?: string
  /** Time from one request at an entry to the next. */
  everyMs?: number
  /** How long an instance works on a request. */
  workMs?: number
  /** Entries that get requests; by default all. */
  entries?: string[]
}

/**
 * Requests to the entries of a cluster, as its balancers would carry them: to an active local instance, else to one of a
 * peer, else held where the plan holds. A request fails when nobody can take it, and when its instance ends before it
 * has answered.
 */
export class Load {
  readonly failures: string[] = []
  readonly releases = new Set<string>()
  requests = 0
  longestMs = 0
  #cluster: Cluster
  #service: string
  #workMs: number
  #stop: () => void
  #open = 0
  #next = 0

  constructor(cluster: Cluster, { service = 'shop', everyMs = 20, workMs = 50, entries }: Options = {}) {
    this.#cluster = cluster
    this.#service = service
    this.#workMs = workMs
    this.#stop = every(cluster.clock, everyMs, () => {
      for (const name of entries ?? cluster.machines.keys()) void this.request(name)
    })
  }

  /** Sends no more, and waits for the open requests. */
  async stop(): Promise<this> {
    this.#stop()
    await this.#cluster.until('the end of all requests', () => this.#open === 0)
    return this
  }

  /** Sends one request. Resolves with the release that answered; `null` when it failed. */
  async request(entry: string, workMs = this.#workMs): Promise<string | null> {
    const { clock } = this.#cluster
    const began = clock.monotonic()
    this.#open++
    this.requests++
    try {
      const taken = await this.#taken(this.#cluster.machine(entry), began)
      if (taken === null) return this.#failed(`nobody took the request at ${entry}`)
      const { machine, id, release } = taken
      const { supervisor } = machine
      count(machine, id, 1)
      await sleep(clock, workMs)
      count(machine, id, -1)
      if (machine.supervisor !== supervisor || !supervisor.isAlive(id))
        return this.#failed(`${id} ended before it answered`)
      this.releases.add(release)
      this.longestMs = Math.max(this.longestMs, clock.monotonic() - began)
      return release
    } finally {
      this.#open--
    }
  }

  #failed(why: string): null {
    this.failures.push(`${why}, at ${this.#cluster.clock.monotonic()} ms`)
    return null
  }

  async #taken(machine: Machine, began: number): Promise<Taken | null> {
    for (;;) {
      const route = this.#routeOn(machine)
      const peers = route?.peers.map((peer) => this.#cluster.machine(peer.machine)) ?? []
      for (const one of [machine, ...peers]) {
        const taken = this.#instanceOf(one)
        if (taken !== null) return taken
      }
      if (this.#cluster.clock.monotonic() - began >= (route?.holdMs ?? 0)) return null
      await sleep(this.#cluster.clock, 10)
    }
  }

  #routeOn(machine: Machine) {
    return machine.balancer.plan?.routes.find(({ service }) => service === this.#service)
  }

  /** An active instance, in turn; a balancer passes over one whose port is closed. */
  #instanceOf(machine: Machine): Taken | null {
    const active = this.#routeOn(machine)?.targets.filter(({ state }) => state === 'active') ?? []
    const up = active.filter(({ instance }) => machine.isUp(instance))
    const target = up[this.#next++ % Math.max(1, up.length)]
    const spec = machine.running(this.#service).find(({ id }) => id === target?.instance)
    return spec ? { machine, id: spec.id, release: spec.release } : null
  }
}

interface Taken {
  machine: Machine
  id: string
  release: string
}

function count({ balancer }: Machine, id: string, by: number): void {
  const { work } = balancer.inFlight(id)
  balancer.setInFlight(id, { work: Math.max(0, work + by), long: 0 })
}
