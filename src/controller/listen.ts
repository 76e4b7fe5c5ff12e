import type { FastifyInstance } from 'fastify'
import { listenAt, portTaken, twinOf } from '../lib/loopbackPair.ts'

interface Listening {
  port: number
  /** Frees the second address; the server closes the first, and the connections of both. */
  close: () => void
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
  const twin = twinOf(host)
  // Node's documentation allows to hand connections to an HTTP server in this way.
  const handOver = (socket: unknown): void => void server.server.emit('connection', socket)
  const held = twin === null ? null : await listenAt(twin, found, handOver)
  return {
    port: found,
    // Does not wait: a connection that the HTTP server took over keeps this open until that server closes it.
    close: () => void held?.close(),
  }
}
