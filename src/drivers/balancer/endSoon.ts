import type { Socket } from 'node:net'

/**
 * Sends all written bytes, then ends the connection. If the client does not read them within `ms`, the connection is
 * cut.
 */
export function endSoon(socket: Socket, ms: number): void {
  const timer = setTimeout(() => socket.destroy(), ms)
  socket.once('close', () => clearTimeout(timer))
  socket.destroySoon()
}
