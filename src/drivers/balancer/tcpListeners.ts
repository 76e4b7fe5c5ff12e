import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { BalancerServices } from './balancerServices.ts'
import { CarriedConnection } from './carriedConnection.ts'

/** One listener for each port that the plan's TCP routes name. */
export class TcpListeners {
  readonly #services: BalancerServices
  readonly #host: string
  readonly #servers = new Map<number, Server>()

  constructor(services: BalancerServices, host: string) {
    this.#services = services
    this.#host = host
  }

  /** Opens what is missing. Resolves with the ports that cannot be listened on, and why; the others are open. */
  async open(ports: Iterable<number>): Promise<{ port: number; error: Error }[]> {
    const missing = [...new Set(ports)].filter((port) => !this.#servers.has(port))
    const results = await Promise.all(missing.map((port) => this.#listen(port)))
    return results.filter((result) => result !== null)
  }

  /** Stops listening on all but these; connections already made go on. */
  closeOthers(ports: Iterable<number>): void {
    const kept = new Set(ports)
    for (const [port, server] of this.#servers) {
      if (kept.has(port)) continue
      this.#servers.delete(port)
      server.close()
    }
  }

  async #listen(port: number): Promise<{ port: number; error: Error } | null> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.on('connection', (socket) => this.#accept(port, socket))
    try {
      server.listen(port, this.#host)
      await once(server, 'listening')
      this.#servers.set(port, server)
      return null
    } catch (error) {
      return { port, error: error instanceof Error ? error : new Error(String(error)) }
    }
  }

  #accept(port: number, socket: Socket): void {
    const { gate, metrics, table } = this.#services
    if (!gate.admit(socket)) return metrics.refused('connections')
    new CarriedConnection(this.#services, socket, {
      lookUp: () => table.tcpByPort(port),
      forwarded: false,
      events: { accepted: () => {}, refused: () => socket.resetAndDestroy() },
    }).attempt()
  }
}
