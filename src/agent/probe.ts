import { request } from 'node:http'
import { connect } from 'node:net'
import type { Definition } from '../definitions/definition.ts'

export type ProbeResult = { ok: true } | { ok: false; reason: string }

/** One health question to one instance: an HTTP status of 2xx or 3xx, or a TCP connection. */
export async function probe(definition: Definition, port: number, signal: AbortSignal): Promise<ProbeResult> {
  const { path, timeoutMs } = definition.health
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  return definition.listen === 'http' ? probeHttp(port, path, bounded, timeoutMs) : probeTcp(port, bounded, timeoutMs)
}

function probeHttp(port: number, path: string, signal: AbortSignal, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const options = { host: '127.0.0.1', port, path, signal, agent: false, headers: { 'user-agent': 'tandem-probe' } }
  const asked = request(options, (response) => {
    const status = response.statusCode ?? 0
    response.destroy()
    resolve(status >= 200 && status < 400 ? { ok: true } : { ok: false, reason: `GET ${path} answered ${status}` })
  })
  asked.on('error', (error) => resolve({ ok: false, reason: failure(error, `GET ${path}`, timeoutMs) }))
  asked.end()
  return promise
}

function probeTcp(port: number, signal: AbortSignal, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host: '127.0.0.1', port, signal })
  socket.on('connect', () => {
    socket.destroy()
    resolve({ ok: true })
  })
  socket.on('error', (error) => resolve({ ok: false, reason: failure(error, 'a connection', timeoutMs) }))
  return promise
}

function failure(error: NodeJS.ErrnoException, what: string, timeoutMs: number): string {
  if (error.code === 'ECONNREFUSED') return 'nothing listens on its PORT yet'
  if (error.name === 'AbortError' || error.name === 'TimeoutError')
    return `${what} got no answer within ${timeoutMs} ms`
  return `${what} failed: ${error.code ?? error.message}`
}
