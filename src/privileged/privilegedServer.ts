import { createServer, type Server, type Socket } from 'node:net'
import { failureOf, requestSchema, wireLimits } from './wire.ts'

/** Performs one requested operation; throws an error that explains a refusal or failure. */
export type Perform = (operation: string, args: unknown) => Promise<unknown>

interface Options {
  perform: Perform
  /** `over` is called once, after `ms` without a connection and without work. */
  idle: { ms: number; over: () => void } | null
  limits?: Partial<{ requestBytes: number; requestMs: number; connections: number }>
}

/**
 * Answers requests, each on its own connection. An operation that has begun is finished even if its caller has left.
 */
export class PrivilegedServer {
  readonly #perform: Perform
  readonly #idle: Options['idle']
  readonly #limits: { requestBytes: number; requestMs: number; connections: number }
  readonly #server: Server
  #busy = 0
  #timer: NodeJS.Timeout | null = null

  constructor({ perform, idle, limits }: Options) {
    this.#perform = perform
    this.#idle = idle
    this.#limits = { ...wireLimits, ...limits }
    this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket))
    this.#server.maxConnections = this.#limits.connections
  }

  /** Listens on a path, or on the socket that systemd opened (`fd`). */
  async listen(where: { path: string } | { fd: number }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject).listen(where, resolve)
    await promise
    this.#rest()
  }

  /** Resolves when all operations that have begun are done. */
  close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(socket: Socket): Promise<void> {
    this.#busy += 1
    if (this.#timer) clearTimeout(this.#timer)
    socket.on('error', () => {}) // the caller has left: an operation that has begun is finished anyway
    try {
      const answer = await this.#answer(socket)
      if (!socket.destroyed) socket.end(`${JSON.stringify(answer)}\n`)
    } finally {
      socket.setTimeout(this.#limits.requestMs, () => socket.destroy())
      socket.resume()
      this.#busy -= 1
      this.#rest()
    }
  }

  async #answer(socket: Socket): Promise<object> {
    try {
      const text = await lineFrom(socket, this.#limits)
      const request = requestSchema.parse(JSON.parse(text))
      return { value: (await this.#perform(request.operation, request.arguments)) ?? null }
    } catch (error) {
      return { error: failureOf(error) }
    }
  }

  #rest(): void {
    if (this.#busy > 0 || !this.#idle || !this.#server.listening) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#idle.over, this.#idle.ms)
  }
}

function lineFrom(socket: Socket, { requestBytes, requestMs }: { requestBytes: number; requestMs: number }) {
  return new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => end(new Error(`no complete request arrived within ${requestMs} ms`)), requestMs)
    const end = (error: Error | null, text = ''): void => {
      clearTimeout(timer)
      socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
      if (error) reject(error)
      else resolve(text)
    }
    socket.on('data', (chunk: Buffer) => {
      const at = chunk.indexOf('\n')
      chunks.push(at < 0 ? chunk : chunk.subarray(0, at))
      length += chunk.length
      if (length > requestBytes) end(new Error(`a request is longer than ${requestBytes} bytes`))
      else if (at >= 0) end(null, Buffer.concat(chunks).toString('utf8'))
    })
    socket.on('end', () => end(new Error('the connection ended before the end of the request')))
    socket.on('close', () => end(new Error('the caller has closed the connection')))
  })
}
