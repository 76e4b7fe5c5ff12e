import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { systemClock } from '../../lib/clock.ts'
import type {
  BalancerChange,
  BalancerDriver,
  HttpPlannedRoute,
  OwnPort,
  Peer,
  PlannedRoute,
  Target,
  TcpPlannedRoute,
  Unserved,
} from './balancer.ts'
import { createEmbeddedBalancer } from './embeddedBalancer.ts'
import type { BalancerLimits } from './limits.ts'

/** The machines of a test: real balancers, real instances, real sockets; `close` removes them all. */
export class BalancerLab {
  readonly #closers: (() => Promise<void>)[] = []

  async machine(name: string, limits: Partial<BalancerLimits> = {}): Promise<LabMachine> {
    const balancer = createEmbeddedBalancer({
      host: '127.0.0.1',
      httpPort: 0,
      forwardPort: 0,
      machine: name,
      clock: systemClock,
      limits,
    })
    await balancer.listen()
    this.#closers.push(() => balancer.close())
    return new LabMachine(name, balancer)
  }

  /** Starts an HTTP instance. */
  async instance(name: string, listener: RequestListener, port = 0): Promise<LabInstance> {
    const server = createServer({ keepAliveTimeout: 60_000 }, listener)
    return this.#started(new LabInstance(name, server), port)
  }

  async tcpInstance(name: string, onConnection: (socket: Socket) => void): Promise<LabInstance> {
    const server = createTcpServer({ allowHalfOpen: true }, onConnection)
    return this.#started(new LabInstance(name, server), 0)
  }

  /** A connection that the lab destroys when it closes. */
  async connect(port: number, host = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ port, host, allowHalfOpen: true })
    this.onClose(() => void socket.destroy())
    await once(socket, 'connect')
    return socket
  }

  agent(): Agent {
    const agent = new Agent({ keepAlive: true })
    this.onClose(() => agent.destroy())
    return agent
  }

  onClose(end: () => void | Promise<void>): void {
    this.#closers.push(async () => end())
  }

  async close(): Promise<void> {
    for (const end of this.#closers.reverse()) await end()
  }

  async #started(instance: LabInstance, port: number): Promise<LabInstance> {
    this.#closers.push(() => instance.kill())
    instance.server.listen(port, '127.0.0.1')
    await once(instance.server, 'listening')
    return instance
  }
}

export class LabMachine {
  readonly name: string
  readonly balancer: BalancerDriver
  readonly changes: BalancerChange[] = []
  #waiting: (() => void)[] = []
  #position = 0

  constructor(name: string, balancer: BalancerDriver) {
    this.name = name
    this.balancer = balancer
    balancer.onChange((change) => {
      this.changes.push(change)
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  get port(): number {
    return this.balancer.ports.http
  }

  get peer(): Peer {
    return { machine: this.name, host: '127.0.0.1', port: this.balancer.ports.forward }
  }

  route(...routes: PlannedRoute[]): Promise<Unserved[]> {
    this.#position += 1
    return this.balancer.apply({ position: this.#position, machine: this.name, routes })
  }

  /** Resolves when the balancer reports (or has reported) this change. */
  async told(type: BalancerChange['type'], instance: string): Promise<void> {
    while (!this.changes.some((change) => change.type === type && change.instance === instance)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  refused(reason: string): number {
    return this.balancer.counters().refused.find((found) => found.reason === reason)?.count ?? 0
  }
}

export class LabInstance {
  readonly name: string
  readonly server: Server | ReturnType<typeof createTcpServer>
  readonly sockets = new Set<Socket>()
  connections = 0

  constructor(name: string, server: LabInstance['server']) {
    this.name = name
    this.server = server
    server.on('connection', (socket: Socket) => {
      this.connections += 1
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
    })
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port // it listens on TCP
  }

  get active(): Target {
    return { instance: this.name, port: this.port, state: 'active' }
  }

  get draining(): Target {
    return { instance: this.name, port: this.port, state: 'draining' }
  }

  /** Behaves as if the process of the instance had died. */
  async kill(): Promise<void> {
    if (!this.server.listening) return
    const closed = new Promise((resolve) => this.server.close(resolve))
    for (const socket of this.sockets) socket.resetAndDestroy()
    await closed
  }
}

export function httpRoute(about: Partial<HttpPlannedRoute>): HttpPlannedRoute {
  const base = { service: 'shop', host: null, path: '/', bodyBytes: null, own: null, holdMs: null, idleMs: null }
  return { kind: 'http', targets: [], peers: [], ...base, ...about }
}

/** A public route, unless `own` changes that. */
export function tcpRoute({
  port,
  name,
  ...about
}: Partial<TcpPlannedRoute> & { port: number; name: number }): TcpPlannedRoute {
  const own = { public: true, loopback: null, port, name: String(name), also: [] }
  return { kind: 'tcp', service: 'queue', targets: [], peers: [], holdMs: null, idleMs: null, own, ...about }
}

/** Where a local route of `service` listens. */
export const localPort = (service: string, port: number, loopback = '127.77.1.1'): OwnPort => ({
  ...{ public: false, loopback, port, name: `${service}/${port}`, also: [] },
})

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  rawHeaders: string[]
  trailers: IncomingMessage['trailers']
  body: string
}

export interface Asked {
  method?: string
  path?: string
  headers?: Record<string, string | string[]>
  body?: string | Buffer
  agent?: Agent
  /** The address to connect to. */
  at?: string
}

/** Sends one request, without any retry. Rejects if the connection ends before the answer is complete. */
export function ask(port: number, about: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', agent, at = '127.0.0.1' } = about
    // Node frames the body of a GET only on request.
    const length =
      about.body === undefined || about.headers?.['transfer-encoding']
        ? {}
        : { 'content-length': String(Buffer.byteLength(about.body)) }
    const headers = { ...length, ...about.headers }
    const sent = request({ port, host: at, method, path, headers, agent: agent ?? false }, (answer) => {
      readAll(answer).then(
        (bytes) =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            rawHeaders: answer.rawHeaders,
            trailers: answer.trailers,
            body: bytes.toString(),
          }),
        reject,
      )
    })
    sent.on('error', reject)
    sent.end(about.body)
  })
}

export async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer) // no encoding is set on these streams
  return Buffer.concat(chunks)
}

/** Reads from a socket until `done` accepts the text so far, or the socket ends. */
export function readUntil(socket: Socket, done: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = (): void => {
      socket.off('data', take).off('end', settle).off('close', settle).off('error', reject)
      resolve(text)
    }
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (done(text)) settle()
    }
    socket.on('data', take).once('end', settle).once('close', settle).once('error', reject)
  })
}

/** Sends bytes unchanged and reads until the balancer closes. */
export async function raw(lab: BalancerLab, port: number, text: string): Promise<string> {
  const socket = await lab.connect(port)
  socket.write(text, 'latin1')
  return readUntil(socket, () => false)
}

/** An instance that sends the bytes that its path spells in base64url (`/b64/…`), or a 200 for any other path. */
export function byteServer(lab: BalancerLab, name: string): Promise<LabInstance> {
  return lab.tcpInstance(name, (socket) => {
    socket.on('error', () => {}).on('end', () => socket.end())
    socket.on('data', (data) => {
      const spelt = /\/b64\/([\w-]+)/.exec(data.toString('latin1'))?.[1]
      socket.write(spelt ? Buffer.from(spelt, 'base64url') : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
}

export const echo = (socket: Socket): void => {
  socket.on('error', () => {})
  socket.pipe(socket)
}

/** Resolves with the echo. */
export async function say(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  return readUntil(socket, (got) => got.length >= text.length)
}
