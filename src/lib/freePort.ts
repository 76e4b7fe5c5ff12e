import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** A port on which nothing listens at this moment; whoever takes it may find that it is not so any more. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  await new Promise((resolve) => server.close(resolve))
  return port
}
