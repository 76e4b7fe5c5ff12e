import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { OperatorError } from '../lib/operatorError.ts'

/** The two addresses of this computer alone: a browser may take either for `tandem.localhost`. */
const twins: Record<string, string> = { '127.0.0.1': '::1', '::1': '127.0.0.1' }

interface Listening {
  port: number
  /** Frees the second address; the server closes the first. */
  close: () => Promise<void>
}

/**
 * Listens, on port 0 on any free port. At an address of this computer alone, the port of the other one is held as well:
 * another user who held it would get the requests of browsers that try it first. Throws `E_PORT_TAKEN`.
 */
export async function listen(
  server: FastifyInstance,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    throw portTaken(error, host, port)
  }
  const [first] = server.addresses()
  const found = typeof first === 'object' ? first.port : port
  const twin = twins[host]
  const held = twin === undefined ? null : await holdTwin(server, twin, found)
  return {
    port: found,
    close: async () => {
      held?.close()
      if (held) await once(held, 'close')
    },
  }
}

/** `null`: this computer has no such address, so nobody else can hold it either. */
async function holdTwin(server: FastifyInstance, host: string, port: number): Promise<Server | null> {
  // As Node's own HTTP server listens. Its documentation allows to hand connections to it in this way.
  const twin = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    server.server.emit('connection', socket),
  )
  try {
    twin.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true })
    await once(twin, 'listening')
    return twin
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return null
    throw portTaken(error, host, port)
  }
}

function portTaken(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new OperatorError('E_PORT_TAKEN', `another process listens on ${where}`, {
    subject: where,
    next: `ss -ltnp 'sport = :${port}'   shows which; --port chooses another port`,
    cause: error,
  })
}
