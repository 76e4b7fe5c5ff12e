import { connect, type Socket } from 'node:net'
import type { Definition } from '../definitions/definition.ts'

/** A status line is shorter than this. */
const mostHeadBytes = 16 * 1024
/** Of an answer's body, what is read before it is cut off, and for how long. */
const mostBodyBytes = 256 * 1024
const bodyWithinMs = 1_000

/** `isClosed`: nothing listens yet, so that the service itself was not asked. */
export type ProbeResult = { ok: true } | { ok: false; reason: string; isClosed?: boolean }

/** One health question to one instance: an HTTP status of 2xx or 3xx, or a TCP connection. Never rejects. */
export async function probe(definition: Definition, port: number, signal: AbortSignal): Promise<ProbeResult> {
  const { path, timeoutMs } = definition.health
  // Not `AbortSignal.any`: the signal lives as long as the instance, and would gather what every probe hangs on it.
  const bounded = new AbortController()
  const stop = (): void => bounded.abort()
  const timer = setTimeout(stop, timeoutMs)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return await (definition.listen === 'http'
      ? probeHttp(port, path, bounded.signal, timeoutMs)
      : probeTcp(port, bounded.signal, timeoutMs))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/**
 * One GET on a connection of its own, of which only the status line is looked at: Node's own client would cost an agent of
 * ten instances most of what it uses when idle.
 */
function probeHttp(port: number, path: string, signal: AbortSignal, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host: '127.0.0.1', port, signal, noDelay: true })
  let head = ''
  const read = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    const status = statusOf(head)
    if (status === null && head.length <= mostHeadBytes) return
    socket.off('data', read)
    // Read to its end where it is short, so that the service does not see its answer cut off.
    endAfter(socket, mostBodyBytes)
    resolve(resultOf(status, path))
  }
  socket.on('data', read)
  socket.on('error', (error) => resolve(failure(error, `GET ${path}`, port, timeoutMs)))
  socket.on('close', () => resolve({ ok: false, reason: `GET ${path} was not answered: the connection was closed` }))
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: tandem-probe\r\nConnection: close\r\n\r\n`,
  )
  return promise
}

/** The status of the final answer: interim ones (1xx) are passed over. `null`: not there yet, or not HTTP. */
function statusOf(head: string): number | null {
  const status = Number(/^HTTP\/1\.[01] (\d{3})[ \r]/.exec(head)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) return null
  if (status >= 200) return status
  const end = head.indexOf('\r\n\r\n')
  return end < 0 ? null : statusOf(head.slice(end + 4))
}

function resultOf(status: number | null, path: string): ProbeResult {
  if (status === null) return { ok: false, reason: `GET ${path} was answered by something that is not HTTP/1` }
  return status < 400 ? { ok: true } : { ok: false, reason: `GET ${path} answered ${status}` }
}

function endAfter(socket: Socket, bytes: number): void {
  let read = 0
  const timer = setTimeout(() => socket.destroy(), bodyWithinMs)
  socket.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > bytes) socket.destroy()
  })
  socket.on('close', () => clearTimeout(timer))
}

function probeTcp(port: number, signal: AbortSignal, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host: '127.0.0.1', port, signal })
  socket.on('connect', () => {
    socket.destroy()
    resolve({ ok: true })
  })
  socket.on('error', (error) => resolve(failure(error, 'a connection', port, timeoutMs)))
  return promise
}

function failure(error: NodeJS.ErrnoException, what: string, port: number, timeoutMs: number): ProbeResult {
  if (error.code === 'ECONNREFUSED')
    return { ok: false, reason: `nothing listens on its PORT, ${port}`, isClosed: true }
  const isLate = error.name === 'AbortError' || error.name === 'TimeoutError'
  const how = isLate ? `got no answer within ${timeoutMs} ms` : `failed: ${error.code ?? error.message}`
  return { ok: false, reason: `${what} ${how}` }
}
