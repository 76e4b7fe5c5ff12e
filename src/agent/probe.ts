import { connect, type Socket } from 'node:net'
import type { Definition } from '../definitions/definition.ts'
import { isAccepted } from '../definitions/health/statusShape.ts'
import { probeHostOf } from '../definitions/probeHost.ts'
import type { Clock } from '../lib/clock.ts'

/** Longest head that is read; a status line is shorter. */
const mostHeadBytes = 16 * 1024
/** Longest part of a body that is read before the connection is cut. */
const mostBodyBytes = 256 * 1024

/** `isClosed`: nothing listens on the port yet, so the service itself got no request. */
export type ProbeResult =
  | { ok: true }
  /** `isUnseen`: the probe could not tell who listens, which does not count against the instance. */
  | { ok: false; reason: string; isClosed?: boolean; isUnseen?: boolean }

/**
 * Sends one probe to one instance: an HTTP status that `health.status` accepts, or a TCP connection, counts as good.
 * Never rejects.
 * Each probe uses its own connection for `timeoutMs` at most. Probes are most of what an idle agent does, hence the
 * bare socket: Node's own client, an `AbortSignal` for each probe, or an orderly shutdown each cost a third more.
 */
export function probe(definition: Definition, port: number, signal: AbortSignal, clock: Clock): Promise<ProbeResult> {
  const { path, timeoutMs, status, header = {} } = definition.health
  const what = definition.listen === 'http' ? `GET ${path}` : 'a connection'
  if (signal.aborted) return Promise.resolve({ ok: false, reason: `${what} was not tried` })
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  const cut = (): void => void socket.destroy()
  const stopTimer = clock.after(timeoutMs, () => {
    resolve({ ok: false, reason: `${what} got no answer within ${timeoutMs} ms` })
    cut()
  })
  signal.addEventListener('abort', cut)
  socket.on('error', (error) => resolve(failure(error, what, port)))
  socket.on('end', cut)
  socket.on('close', () => {
    stopTimer()
    signal.removeEventListener('abort', cut)
    resolve({ ok: false, reason: `${what} was not answered: the connection was closed` })
  })
  if (definition.listen === 'http') {
    const head = headOf(path, { Host: probeHostOf(definition) ?? `127.0.0.1:${port}`, ...header })
    askHttp(socket, head, (answered) => resolve(resultOf(answered, path, status)))
  } else
    socket.on('connect', () => {
      resolve({ ok: true })
      cut()
    })
  return promise
}

function headOf(path: string, fields: Record<string, string>): string {
  const isNamed = Object.keys(fields).some((name) => name.toLowerCase() === 'user-agent')
  const all = { ...fields, ...(isNamed ? {} : { 'User-Agent': 'tandem-probe' }), Connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/**
 * Sends one GET and evaluates only the status line. The rest is read so that the service does not see its answer cut
 * off.
 */
function askHttp(socket: Socket, request: string, answered: (status: number | null) => void): void {
  let head = ''
  let bodyBytes = 0
  let isAnswered = false
  socket.on('data', (chunk: Buffer) => {
    if (isAnswered) {
      bodyBytes += chunk.length
      if (bodyBytes > mostBodyBytes) socket.destroy()
      return
    }
    head += chunk.toString('latin1')
    const status = statusOf(head)
    if (status === null && head.length <= mostHeadBytes) return
    isAnswered = true
    answered(status)
  })
  socket.write(request)
}

/**
 * Returns the status of the final answer and skips interim answers (1xx). `null`: the status is not there yet, or is
 * not HTTP.
 */
function statusOf(head: string): number | null {
  const status = Number(/^HTTP\/1\.[01] (\d{3})[ \r]/.exec(head)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) return null
  if (status >= 200) return status
  const end = head.indexOf('\r\n\r\n')
  return end < 0 ? null : statusOf(head.slice(end + 4))
}

function resultOf(status: number | null, path: string, statuses: string[] | undefined): ProbeResult {
  if (status === null) return { ok: false, reason: `GET ${path} got an answer that is not HTTP/1` }
  if (statuses === undefined ? status < 400 : isAccepted(status, statuses)) return { ok: true }
  const wanted = statuses === undefined ? '' : `, and \`health.status\` is ${statuses.join(', ')}`
  return { ok: false, reason: `GET ${path} answered ${status}${wanted}` }
}

function failure(error: NodeJS.ErrnoException, what: string, port: number): ProbeResult {
  if (error.code === 'ECONNREFUSED')
    return { ok: false, reason: `nothing listens on its PORT, ${port}`, isClosed: true }
  return { ok: false, reason: `${what} failed: ${error.code ?? error.message}` }
}
