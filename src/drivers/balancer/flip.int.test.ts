import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request, type Agent, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { randomRun } from '../../lib/testing/randomRun.ts'
import { ask, BalancerLab, httpRoute, readUntil, tcpRoute, type LabInstance, type LabMachine } from './balancerLab.ts'

const { count: flips } = randomRun('flips', { check: 50, soak: 500 })
const tcp = { name: 7001, a: 0, b: 0 }
let lab: BalancerLab
let a: LabMachine
let b: LabMachine

beforeEach(async () => {
  lab = new BalancerLab()
  ;[a, b] = await Promise.all([lab.machine('a'), lab.machine('b')])
})
afterEach(() => lab.close())

const upload = Buffer.alloc(20 * 1024 * 1024, 'upload')
const uploadHash = createHash('sha256').update(upload).digest('hex')

/** Sends events until its client has had ten; hashes uploads; answers all other requests at once. */
const serve: RequestListener = (request, response) => {
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let count = 0
    const timer = setInterval(() => {
      response.write(`data: ${(count += 1)}\n\n`)
      if (count < 10) return
      clearInterval(timer)
      response.end()
    }, 5)
    return
  }
  const hash = createHash('sha256')
  request.on('data', (chunk: Buffer) => hash.update(chunk))
  request.on('end', () => response.end(request.method === 'POST' ? hash.digest('hex') : 'ok'))
}

let generation = 0

interface Release {
  http: LabInstance
  tcp: LabInstance
}

/** A new release of the service: an HTTP instance with WebSockets, and a TCP instance. */
async function release(): Promise<Release> {
  generation += 1
  const http = await lab.instance(`http-${generation}`, serve)
  const sockets = new WebSocketServer({ server: http.server as Server }) // `instance` makes an HTTP server
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  const tcpInstance = await lab.tcpInstance(`tcp-${generation}`, (socket: Socket) => socket.pipe(socket))
  return { http, tcp: tcpInstance }
}

async function routeTo(machine: LabMachine, current: Release, old: Release | null, peer: LabMachine): Promise<void> {
  const peers = [peer.peer]
  await machine.route(
    httpRoute({ targets: [current.http.active, ...(old ? [old.http.draining] : [])], peers }),
    tcpRoute({
      port: machine === a ? tcp.a : tcp.b,
      name: tcp.name,
      targets: [current.tcp.active, ...(old ? [old.tcp.draining] : [])],
      peers,
    }),
  )
}

/** Routes the new release, drains the old one, and stops it the moment no work is in flight, as a rollout does. */
async function flip(machine: LabMachine, old: Release, peer: LabMachine): Promise<Release> {
  const next = await release()
  await routeTo(machine, next, old, peer)
  for (const instance of [old.http, old.tcp]) {
    await machine.told('idle', instance.name)
    await machine.balancer.release(instance.name)
    expect(machine.balancer.inFlight(instance.name).work).toBe(0)
    await instance.kill()
  }
  return next
}

type Load = (port: () => number) => Promise<void>

const loads: Record<string, Load> = {
  keepAlive: async (port) => {
    const answer = await ask(port(), { agent: shared.agent })
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
  },
  post: async (port) => {
    const answer = await ask(port(), { agent: shared.agent, method: 'POST', body: 'abc' })
    expect(answer.body).toBe(createHash('sha256').update('abc').digest('hex'))
  },
  upload: async (port) => {
    const answer = await ask(port(), { method: 'POST', body: upload })
    expect([answer.status, answer.body]).toEqual([200, uploadHash])
  },
  events: async (port) => {
    const answer = await ask(port(), { path: '/events' })
    expect(answer.body.match(/data/g)).toHaveLength(10)
  },
  webSocket: async (port) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port()}/`)
    await once(socket, 'open')
    for (let i = 0; i < 5; i += 1) {
      socket.send(`${i}`)
      const [message] = (await once(socket, 'message')) as [Buffer]
      expect(message.toString()).toBe(`${i}`)
    }
    socket.close()
    await once(socket, 'close')
  },
}

/** Set by the test: kept-alive connections over all flips. */
const shared: { agent?: Agent } = {}

async function tcpLoad(port: () => number): Promise<void> {
  const socket = await lab.connect(port())
  for (const text of ['hello', 'again']) {
    socket.write(text)
    expect(await readUntil(socket, (got) => got.length === text.length)).toBe(text)
  }
  socket.end()
  expect(await readUntil(socket, () => false)).toBe('')
}

async function ports(): Promise<void> {
  for (const machine of ['a', 'b'] as const) {
    const probe = await lab.tcpInstance(`probe-${machine}`, () => {})
    tcp[machine] = probe.port
    await probe.kill()
  }
}

describe(`${flips} flips under load`, () => {
  it('lose nothing: keep-alive, uploads, event streams, WebSockets, TCP, through both machines', async () => {
    shared.agent = lab.agent()
    await ports()
    let [onA, onB] = [await release(), await release()]
    await Promise.all([routeTo(a, onA, null, b), routeTo(b, onB, null, a)])
    const load = { running: true }
    const done: Record<string, number> = {}
    const total = (): number => Object.values(done).reduce((sum, count) => sum + count, 0)
    const failures: string[] = []
    const worker = async (name: string, once: Load, machine: LabMachine): Promise<void> => {
      const port = name === 'tcp' ? () => (machine === a ? tcp.a : tcp.b) : () => machine.port
      while (load.running) {
        await once(port).catch((error: unknown) => failures.push(`${name}: ${String(error)}`))
        done[name] = (done[name] ?? 0) + 1
      }
    }
    const all: [string, Load][] = [
      ...Object.entries(loads),
      ['keepAlive', loads['keepAlive'] ?? tcpLoad],
      ['tcp', tcpLoad],
    ]
    const workers = all.flatMap(([name, load]) => [worker(name, load, a), worker(name, load, b)])
    for (let i = 0; i < flips; i += 2) {
      const before = total()
      await expect.poll(total, { interval: 5 }).toBeGreaterThan(before + 10)
      onA = await flip(a, onA, b)
      onB = await flip(b, onB, a)
    }
    const fewest = (): number => Math.min(...all.map(([name]) => done[name] ?? 0))
    await expect.poll(fewest, { message: 'each load was answered more than five times' }).toBeGreaterThan(5)
    load.running = false
    await Promise.all(workers)
    expect(failures).toEqual([])
  })

  it('with one machine after the other empty: the other machine serves for it', async () => {
    await ports()
    let current = await release()
    await routeTo(a, current, null, b)
    await b.route(httpRoute({ peers: [a.peer] }))
    const failures: string[] = []
    const load = { running: true }
    let count = 0
    const worker = async (machine: LabMachine, method: string): Promise<void> => {
      while (load.running) {
        const answer = await ask(machine.port, { method, body: method === 'POST' ? 'x'.repeat(100_000) : undefined })
        if (answer.status !== 200) failures.push(`${method} at ${machine.name}: ${answer.status} ${answer.body}`)
        count += 1
      }
    }
    const workers = [a, b].flatMap((machine) => [worker(machine, 'GET'), worker(machine, 'POST')])
    for (let i = 0; i < 20; i += 1) {
      const [from, to] = i % 2 === 0 ? [a, b] : [b, a]
      const next = await release()
      const before = count
      await expect.poll(() => count, { interval: 2 }).toBeGreaterThan(before + 10)
      // As the rules require: the new instance serves, the other balancer no longer forwards, and only then the last
      // one goes.
      await to.route(httpRoute({ targets: [next.http.active] }))
      await from.route(httpRoute({ targets: [current.http.draining], peers: [to.peer] }))
      await from.told('idle', current.http.name)
      await from.balancer.release(current.http.name)
      await current.http.kill()
      current = next
    }
    load.running = false
    await Promise.all(workers)
    expect(failures).toEqual([])
    expect(count).toBeGreaterThan(50)
  })
})

it('the load can fail: an instance that is killed while it works is noticed', async () => {
  const arrived = Promise.withResolvers<void>()
  const instance = await lab.instance('x', () => arrived.resolve())
  await a.route(httpRoute({ targets: [instance.active] }))
  const sent = request({ port: a.port, method: 'POST', agent: false })
  sent.end('x')
  await arrived.promise
  await instance.kill()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(502)
})
