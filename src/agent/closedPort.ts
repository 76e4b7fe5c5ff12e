import { connect, isIPv6 } from 'node:net'
import { listenedOnAt } from '../drivers/supervisor/process/sockets.ts'

/** On the same computer an answer takes microseconds. */
const withinMs = 1_000

/**
 * Explains why a connection to 127.0.0.1 and an instance's port was refused: the instance may listen on another
 * address.
 */
export async function closedPortReason(port: number): Promise<string> {
  const [address] = process.platform === 'linux' ? await listenedOnAt(port).catch(() => []) : await loopback6(port)
  if (address === undefined) return `nothing listens on its PORT, ${port}`
  return `it listens on ${isIPv6(address) ? `[${address}]` : address}:${port} only; it must listen on its HOST, 127.0.0.1`
}

/** For systems that do not list their listeners: returns the IPv6 loopback address if a connection to it succeeds. */
function loopback6(port: number): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string[]>()
  const socket = connect({ host: '::1', port, timeout: withinMs })
  const end = (found: string[]) => (): void => {
    resolve(found)
    socket.destroy()
  }
  socket
    .on('connect', end(['::1']))
    .on('error', end([]))
    .on('timeout', end([]))
  return promise
}
