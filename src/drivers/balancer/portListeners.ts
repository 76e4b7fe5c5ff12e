import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { HttpPlannedRoute, OwnPort, PlannedRoute, TcpPlannedRoute } from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import { CarriedConnection } from './carriedConnection.ts'
import type { CameTo } from './incomingHead.ts'

type PortRoute = TcpPlannedRoute | (HttpPlannedRoute & { own: OwnPort })

export const hasOwnPort = (route: PlannedRoute): route is PortRoute => route.own !== null

interface Listener {
  server: Server
  kind: PortRoute['kind']
  port: number
  /** The route that the listener serves now. */
  name: string
}

/** One listener for each route of the plan that has its own port. */
export class PortListeners {
  readonly #services: BalancerServices
  readonly #host: string
  readonly #httpServer: (cameTo: CameTo) => Server
  readonly #listeners = new Map<string, Listener>()

  /** `host`: the address of listeners that have no own address. */
  constructor(services: BalancerServices, host: string, httpServer: (cameTo: CameTo) => Server) {
    this.#services = services
    this.#host = host
    this.#httpServer = httpServer
  }

  /**
   * Opens the missing listeners. Resolves with the routes whose port could not be opened, and why; the others are open.
   */
  async open(routes: PortRoute[]): Promise<Map<PortRoute, string>> {
    this.#endOverlaps(routes)
    const failed = new Map<PortRoute, string>()
    await Promise.all(
      routes.map(async (route) => {
        const known = this.#listeners.get(this.#keyOf(route))
        if (known) return void (known.name = route.own.name)
        const why = await this.#listen(route)
        if (why !== null) failed.set(route, why)
      }),
    )
    return failed
  }

  /** Stops listening on all ports but these; existing connections continue. */
  closeOthers(routes: PortRoute[]): void {
    const kept = new Set(routes.map((route) => this.#keyOf(route)))
    for (const key of this.#listeners.keys()) if (!kept.has(key)) this.#close(key)
  }

  #keyOf({ own }: PortRoute): string {
    return `${this.#hostOf(own)}:${own.port}`
  }

  #hostOf(own: OwnPort): string {
    return own.public || own.loopback === null ? this.#host : own.loopback
  }

  /** A port that changes from all addresses to one address, or back, would conflict with its own listener. */
  #endOverlaps(routes: PortRoute[]): void {
    const wanted = new Map(routes.map((route) => [this.#keyOf(route), route]))
    const ports = new Set(routes.map(({ own }) => own.port))
    for (const [key, { kind, port }] of this.#listeners) {
      const same = wanted.get(key)
      if (same ? same.kind !== kind : ports.has(port)) this.#close(key)
    }
  }

  #close(key: string): void {
    this.#listeners.get(key)?.server.close()
    this.#listeners.delete(key)
  }

  async #listen(route: PortRoute): Promise<string | null> {
    const { kind, own } = route
    const about = { kind, port: own.port, name: own.name }
    const listener: Listener = Object.assign(about, {
      server:
        kind === 'http' ? this.#httpServer({ forwarded: false, route: () => about.name }) : this.#tcpServer(about),
    })
    try {
      listener.server.listen({ port: own.port, host: this.#hostOf(own), backlog: 1024 })
      await once(listener.server, 'listening')
      this.#listeners.set(this.#keyOf(route), listener)
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #tcpServer(about: { name: string }): Server {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.on('connection', (socket) => this.#accept(about, socket))
    return server
  }

  #accept(about: { name: string }, socket: Socket): void {
    const { gate, metrics, table } = this.#services
    if (!gate.admit(socket)) return metrics.refused('connections')
    new CarriedConnection(this.#services, socket, {
      lookUp: () => table.tcpByName(about.name),
      forwarded: false,
      events: { accepted: () => {}, refused: () => socket.resetAndDestroy() },
    }).attempt()
  }
}
