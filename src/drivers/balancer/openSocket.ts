import { Socket } from 'node:net'

export interface SocketAddress {
  host: string
  port: number
}

/**
 * Connects within `connectMs`. Calls `done` exactly once: with the connected socket, or with the error including its
 * code (`ECONNREFUSED`, `ETIMEDOUT`, …). Keeps half-open connections: the end of one direction does not end the other.
 */
export function openSocket(
  { host, port }: SocketAddress,
  connectMs: number,
  done: (error: Error | null, socket: Socket) => void,
  socket: Socket = new Socket({ allowHalfOpen: true }),
): Socket {
  socket.setNoDelay(true).setKeepAlive(true).connect({ host, port, autoSelectFamily: false })
  const timer = setTimeout(() => {
    const late = new Error(`no connection to ${host}:${port} within ${connectMs} ms`)
    socket.destroy(Object.assign(late, { code: 'ETIMEDOUT' }))
  }, connectMs)
  const failed = (error: Error): void => settle(error)
  const closed = (): void => settle(new Error(`the connection to ${host}:${port} was closed before it was established`))
  const connected = (): void => settle(null)
  const settle = (error: Error | null): void => {
    clearTimeout(timer)
    socket.off('error', failed).off('close', closed).off('connect', connected)
    if (error) socket.on('error', ignoreLateError)
    done(error, socket)
  }
  socket.on('error', failed).on('close', closed).on('connect', connected)
  return socket
}

/** Ignores errors of a socket that has already failed or that the balancer itself ends. */
export function ignoreLateError(): void {}
