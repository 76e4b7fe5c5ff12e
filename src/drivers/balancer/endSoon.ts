import type { Socket } from 'node:net'

/** Sends what is written, then ends the connection; one that does not take it within `ms` is cut. */
export function endSoon(socket: Socket, ms: number): void {
  const timer = setTimeout(() => socket.destroy(), ms)
  socket.once('close', () => clearTimeout(timer))
  socket.destroySoon()
}
