import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Definition } from '../definitions/definition.ts'

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

function probeHttp(port: number, path: string, signal: AbortSignal, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const options = { host: '127.0.0.1', port, path, signal, agent: false, headers: { 'user-agent': 'tandem-probe' } }
  const asked = request(options, (response) => {
    const status = response.statusCode ?? 0
    // Read to its end where it is short, so that the service does not see its answer cut off.
    endAfter(response, mostBodyBytes)
    resolve(status >= 200 && status < 400 ? { ok: true } : { ok: false, reason: `GET ${path} answered ${status}` })
  })
  asked.on('error', (error) => resolve(failure(error, `GET ${path}`, timeoutMs)))
  asked.end()
  return promise
}

function endAfter(response: IncomingMessage, bytes: number): void {
  let read = 0
  const timer = setTimeout(() => response.destroy(), bodyWithinMs)
  response.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > bytes) response.destroy()
  })
  response.on('error', () => {}) // the status was the answer; a body that breaks off is the service's own affair
  response.on('close', () => clearTimeout(timer))
}

function probeTcp(port: number, signal: AbortSignal, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host: '127.0.0.1', port, signal })
  socket.on('connect', () => {
    socket.destroy()
    resolve({ ok: true })
  })
  socket.on('error', (error) => resolve(failure(error, 'a connection', timeoutMs)))
  return promise
}

function failure(error: NodeJS.ErrnoException, what: string, timeoutMs: number): ProbeResult {
  if (error.code === 'ECONNREFUSED') return { ok: false, reason: 'nothing listens on its PORT yet', isClosed: true }
  const isLate = error.name === 'AbortError' || error.name === 'TimeoutError'
  const how = isLate ? `got no answer within ${timeoutMs} ms` : `failed: ${error.code ?? error.message}`
  return { ok: false, reason: `${what} ${how}` }
}
