import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Returns a port on which nothing listens at this moment; another process may take the port before the caller does. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  await new Promise((resolve) => server.close(resolve))
  return port
}
