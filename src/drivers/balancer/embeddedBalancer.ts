import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { randomId } from '../../lib/ids.ts'
import { KeyedQueue } from '../../lib/keyedQueue.ts'
import type {
  BalancerChange,
  BalancerCounters,
  BalancerDriver,
  BalancerNumbers,
  InFlight,
  RoutingPlan,
  Unserved,
} from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import { ConnectionGate } from './connectionGate.ts'
import { Ejector } from './ejector.ts'
import { endSoon } from './endSoon.ts'
import { serveTunnel } from './forwardedTunnel.ts'
import { Holder } from './holder.ts'
import { createHttpListener, type HttpListenerEvents } from './httpListener.ts'
import { defaultLimits, type BalancerLimits } from './limits.ts'
import { startTimer } from '../../lib/longTimer.ts'
import { Metrics } from './metrics.ts'
import { PassedWork } from './passedWork.ts'
import { ignoreLateError } from './openSocket.ts'
import { notAProxy, rawPage } from './pages.ts'
import { cannotListenAt } from './ownPorts.ts'
import { hasOwnPort, PortListeners } from './portListeners.ts'
import { RoutingTable } from './routingTable.ts'
import type { Upstream } from './upstream.ts'

export interface EmbeddedBalancerOptions {
  /** Address of the entry, the forwarding port and the TCP ports. */
  host: string
  /** 0: any free port; see `ports`. */
  httpPort: number
  forwardPort: number
  machine: string
  clock: Clock
  log?: (message: string, about: Record<string, unknown>) => void
  limits?: Partial<BalancerLimits>
}

export function createEmbeddedBalancer(options: EmbeddedBalancerOptions): BalancerDriver {
  return new EmbeddedBalancer(options)
}

/**
 * The balancer inside the process of the agent: Node's HTTP server in front, undici behind, plain sockets for the rest.
 */
class EmbeddedBalancer implements BalancerDriver {
  readonly name = 'embedded'
  readonly ports = { http: 0, forward: 0 }
  readonly #options: EmbeddedBalancerOptions
  readonly #services: BalancerServices
  readonly #entry: Server
  readonly #forward: Server
  readonly #ports: PortListeners
  readonly #listeners: ((change: BalancerChange) => void)[] = []
  /** Each plan is applied even if the plan before it failed. */
  readonly #queue = new KeyedQueue()
  #closing: Promise<void> | null = null

  constructor(options: EmbeddedBalancerOptions) {
    const limits = { ...defaultLimits, ...options.limits }
    const ejector = new Ejector(limits, (upstream) => this.#ejectedOrRestored(upstream))
    this.#options = options
    this.#services = {
      machine: options.machine,
      clock: options.clock,
      limits,
      ejector,
      table: new RoutingTable(limits, {
        idle: (upstream) => this.#tell({ type: 'idle', instance: upstream.name }),
        inactive: (upstream) => ejector.forget(upstream),
      }),
      holder: new Holder(limits.held),
      metrics: new Metrics(),
      passed: new PassedWork(randomId()),
      gate: new ConnectionGate(limits.connections),
    }
    const refused: HttpListenerEvents = {
      connect: (_request, socket) => {
        socket.on('error', ignoreLateError)
        socket.write(rawPage(notAProxy()), 'utf8')
        endSoon(socket, limits.lingerMs)
      },
    }
    const route = (): null => null
    this.#ports = new PortListeners(this.#services, options.host, (cameTo) =>
      createHttpListener(this.#services, cameTo, refused),
    )
    this.#entry = createHttpListener(this.#services, { forwarded: false, route }, refused)
    const tunnels: HttpListenerEvents = {
      connect: (request, socket, head) => serveTunnel(this.#services, request, socket, head),
    }
    this.#forward = createHttpListener(this.#services, { forwarded: true, route }, tunnels)
  }

  async listen(): Promise<void> {
    const { host, httpPort, forwardPort } = this.#options
    this.ports.http = await listenOn(this.#entry, httpPort, host, 'HTTP entry')
    this.ports.forward = await listenOn(this.#forward, forwardPort, host, 'forwarding')
  }

  apply(plan: RoutingPlan): Promise<Unserved[]> {
    return this.#queue.run('apply', () => this.#applyNow(plan))
  }

  async #applyNow(plan: RoutingPlan): Promise<Unserved[]> {
    const { table, holder } = this.#services
    if (this.#closing) throw new Error('the balancer is closed and accepts no more plans')
    const routes = plan.routes.filter(hasOwnPort)
    const failed = await this.#ports.open(routes)
    table.apply(plan)
    this.#ports.closeOthers(routes)
    holder.wakeAll()
    return [...failed].map(([route, why]) => cannotListenAt(route, route.own, why))
  }

  inFlight(instance: string): InFlight {
    return this.#services.table.instance(instance)?.inFlight() ?? { work: 0, long: 0 }
  }

  onChange(listener: (change: BalancerChange) => void): void {
    this.#listeners.push(listener)
  }

  async release(instance: string): Promise<void> {
    const upstream = this.#services.table.instance(instance)
    if (!upstream) return
    upstream.stopping = true
    await upstream.pool.release()
  }

  cut(instance: string): void {
    this.#services.table.instance(instance)?.cut()
  }

  counters(): BalancerCounters {
    const { metrics, holder, gate } = this.#services
    return metrics.counters({ held: holder.size, openConnections: gate.open })
  }

  numbers(): Promise<BalancerNumbers> {
    const { passed, table, holder, clock } = this.#services
    const inFlight = (instance: string): InFlight | null => table.instance(instance)?.inFlight() ?? null
    return Promise.resolve(passed.numbers({ inFlight, held: holder.byService(), at: clock.monotonic() }))
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow()
    return this.#closing
  }

  async #closeNow(): Promise<void> {
    const { holder, ejector, table, gate, limits } = this.#services
    this.#ports.closeOthers([])
    const closed = Promise.all([this.#entry, this.#forward].map(closeServer))
    holder.expireAll()
    ejector.close()
    await Promise.race([closed, new Promise<void>((resolve) => void startTimer(limits.closeMs, resolve))])
    gate.destroyAll()
    await table.destroy()
    await closed
  }

  #ejectedOrRestored(upstream: Upstream): void {
    const { name, ejected } = upstream
    this.#options.log?.(ejected === null ? 'upstream reachable again' : 'upstream out of traffic', {
      upstream: name,
      reason: ejected,
    })
    if (upstream.kind === 'instance') {
      this.#tell(
        ejected === null ? { type: 'restored', instance: name } : { type: 'ejected', instance: name, reason: ejected },
      )
    }
    if (ejected === null) this.#services.holder.wakeAll()
  }

  #tell(change: BalancerChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

async function listenOn(server: Server, port: number, host: string, what: string): Promise<number> {
  try {
    server.listen({ port, host, backlog: 1024 })
    await once(server, 'listening')
  } catch (error) {
    throw new Error(`cannot listen on ${host}:${port} (${what}): ${String(error)}`, { cause: error })
  }
  return (server.address() as AddressInfo).port // it listens on TCP
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
