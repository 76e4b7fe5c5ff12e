import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { OperatorError } from './operatorError.ts'

/** The two addresses of this computer alone: a browser may take either for `tandem.localhost`. */
const pair = ['127.0.0.1', '::1'] as const

/** The other address of this computer alone; `null`: `host` is neither of the two. */
export const twinOf = (host: string): string | null => (host === pair[0] ? pair[1] : host === pair[1] ? pair[0] : null)

/**
 * Listens at an address of this computer alone. `null`: the computer has no such address, so nobody else can listen
 * there either. Throws `E_PORT_TAKEN`. The connections are as Node's HTTP server makes them.
 */
export async function listenAt(
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server | null> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection)
  try {
    server.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true })
    await once(server, 'listening')
    return server
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return null
    throw portTaken(error, host, port)
  }
}

/** Listens at both addresses, or at none. */
export async function listenAtBoth(port: number, onConnection: (socket: Socket) => void): Promise<Server[]> {
  const servers: Server[] = []
  try {
    for (const host of pair) {
      const server = await listenAt(host, port, onConnection)
      if (server) servers.push(server)
    }
    return servers
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
}

/** The error of a failed `listen`, in words where another process has the port. */
export function portTaken(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new OperatorError('E_PORT_TAKEN', `another process listens on ${where}`, {
    subject: where,
    next: `ss -ltnp 'sport = :${port}'   shows which; --port chooses another port`,
    cause: error,
  })
}
