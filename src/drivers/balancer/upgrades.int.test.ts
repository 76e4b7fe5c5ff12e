import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  ask,
  BalancerLab,
  byteServer,
  httpRoute,
  raw,
  readUntil,
  type LabInstance,
  type LabMachine,
} from './balancerLab.ts'

let lab: BalancerLab
let a: LabMachine
let b: LabMachine

beforeEach(async () => {
  lab = new BalancerLab()
  ;[a, b] = await Promise.all([lab.machine('a'), lab.machine('b')])
})
afterEach(() => lab.close())

/** Answers every message with the same message. */
async function echoSockets(name: string): Promise<LabInstance & { accepted: WebSocket[] }> {
  const instance = await lab.instance(name, (_request, response) => void response.end('http'))
  const accepted: WebSocket[] = []
  // The server of the instance is the HTTP server that `instance` created.
  const sockets = new WebSocketServer({ server: instance.server as import('node:http').Server })
  sockets.on('connection', (socket) => {
    accepted.push(socket)
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  return Object.assign(instance, { accepted })
}

async function openSocket(machine: LabMachine): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${machine.port}/chat?room=1%202`)
  socket.on('error', () => {})
  lab.onClose(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

async function echoed(socket: WebSocket, data: string | Buffer): Promise<Buffer> {
  socket.send(data)
  const [answer] = (await once(socket, 'message')) as [Buffer]
  return answer
}

describe('WebSockets', () => {
  it.each(['local', 'forwarded'])('carry text, large messages and the closing handshake: %s', async (way) => {
    const instance = await echoSockets('x')
    await a.route(httpRoute({ targets: [instance.active] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    const socket = await openSocket(way === 'local' ? a : b)
    expect((await echoed(socket, 'hello')).toString()).toBe('hello')
    const large = Buffer.alloc(5 * 1024 * 1024, 'xyz')
    expect((await echoed(socket, large)).equals(large)).toBe(true)
    expect(a.balancer.inFlight('x')).toEqual({ work: 1, long: 1 })
    expect(b.balancer.inFlight('x').work).toBe(0)
    socket.close(4001, 'enough')
    const [code, reason] = (await once(instance.accepted[0] ?? socket, 'close')) as [number, Buffer]
    expect([code, reason.toString()]).toEqual([4001, 'enough'])
    await expect.poll(() => a.balancer.inFlight('x')).toEqual({ work: 0, long: 0 })
  })

  it('stay open over plans, while new ones go to the new instance', async () => {
    const [old, next] = [await echoSockets('old'), await echoSockets('next')]
    await a.route(httpRoute({ targets: [old.active] }))
    const first = await openSocket(a)
    await a.route(httpRoute({ targets: [next.active, old.draining] }))
    const second = await openSocket(a)
    expect([(await echoed(first, '1')).toString(), (await echoed(second, '2')).toString()]).toEqual(['1', '2'])
    expect([old.accepted.length, next.accepted.length]).toEqual([1, 1])
    expect(a.changes).toEqual([])
    old.accepted[0]?.close(1001)
    await a.told('idle', 'old')
  })

  it('get 1001 when they are cut', async () => {
    const instance = await echoSockets('x')
    await a.route(httpRoute({ targets: [instance.active] }))
    const socket = await openSocket(a)
    await echoed(socket, 'hello')
    const gone = once(instance.accepted[0] ?? socket, 'close')
    a.balancer.cut('x')
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(1001)
    await gone
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })

  it('are cut by no timeout of the balancer unless the route has one', async () => {
    const quick = await lab.machine('q', { headersMs: 100, clientIdleMs: 50, upstreamIdleMs: 50, connectMs: 100 })
    const instance = await echoSockets('x')
    await quick.route(httpRoute({ targets: [instance.active] }))
    const silent = await openSocket(quick)
    // Its timeouts have passed: a head that does not arrive is given up.
    expect(await raw(lab, quick.port, 'GET / HTTP/1.1\r\n')).toContain(' 408 ')
    expect((await echoed(silent, 'still here')).toString()).toBe('still here')
    await quick.route(httpRoute({ targets: [instance.active], idleMs: 200 }))
    const limited = await openSocket(quick)
    for (let i = 0; i < 12; i += 1) {
      expect((await echoed(limited, 'busy')).toString()).toBe('busy')
      await new Promise((resolve) => setTimeout(resolve, 40)) // busier than the limit
    }
    const [code] = (await once(limited, 'close')) as [number]
    expect(code).toBe(1001)
    expect((await echoed(silent, 'still')).toString()).toBe('still')
  })

  it('go elsewhere when an instance is dead, and get a page when there is none', async () => {
    const [dead, alive] = [await echoSockets('dead'), await echoSockets('alive')]
    await a.route(httpRoute({ targets: [dead.active, alive.active] }))
    await dead.kill()
    for (let i = 0; i < 3; i += 1) await openSocket(a)
    expect(alive.accepted).toHaveLength(3)
    await a.route(httpRoute({}))
    const socket = new WebSocket(`ws://127.0.0.1:${a.port}/`)
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toContain('503')
  })

  it('end at the instance when the client disappears', async () => {
    const instance = await echoSockets('x')
    await a.route(httpRoute({ targets: [instance.active] }))
    const socket = await openSocket(a)
    const gone = once(instance.accepted[0] ?? socket, 'close')
    socket.terminate()
    await gone
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })
})

describe('other upgrades', () => {
  const ask101 = 'GET /u HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: made-up/1\r\n\r\nearly'

  it('are passed on with early bytes, both ways', async () => {
    const instance = await lab.instance('x', () => {})
    instance.server.on('upgrade', (request, socket, head) => {
      socket.write(
        `HTTP/1.1 101 F\xefne\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-A: \xe9\r\n\r\nfirst `,
        'latin1',
      )
      socket.write(head)
      socket.pipe(socket)
    })
    await a.route(httpRoute({ targets: [instance.active] }))
    const socket = await lab.connect(a.port)
    socket.write(ask101)
    const text = await readUntil(socket, (text) => text.endsWith('early'))
    expect(text).toBe(
      'HTTP/1.1 101 F\xefne\r\nConnection: Upgrade\r\nUpgrade: made-up/1\r\nX-A: \xe9\r\n\r\nfirst early',
    )
    socket.end('late')
    expect(await readUntil(socket, () => false)).toBe('late')
  })

  it('that the instance declines get its answer', async () => {
    const instance = await lab.instance('x', () => {})
    instance.server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 4\r\nX-Why: no\r\n\r\nnope')
    })
    await a.route(httpRoute({ targets: [instance.active] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    for (const machine of [a, b]) {
      const answer = await raw(lab, machine.port, ask101.replace('early', ''))
      expect(answer).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\n[^]*X-Why: no\r\n[^]*\r\n\r\nnope$/)
    }
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })

  it('to HTTP/2 are ignored, as Java offers them with every request, body included', async () => {
    const instance = await lab.instance('x', (request, response) => void request.pipe(response))
    await a.route(httpRoute({ targets: [instance.active] }))
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' }
    const answer = await ask(a.port, { method: 'POST', body: 'plain', headers })
    expect([answer.status, answer.body]).toEqual([200, 'plain'])
  })

  it('with a body are ordinary requests, as for HAProxy: the body arrives, and the answer comes', async () => {
    const instance = await lab.instance('x', (request, response) => {
      response.setHeader('x-upgrade', String(request.headers.upgrade))
      request.pipe(response)
    })
    await a.route(httpRoute({ targets: [instance.active] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    const head = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: tcp\r\n'
    const bodies = ['Content-Length: 3\r\n\r\nabc', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n']
    for (const body of bodies) {
      for (const machine of [a, b]) {
        const answer = await raw(lab, machine.port, head + body)
        expect(answer).toMatch(/^HTTP\/1.1 200 [^]*x-upgrade: undefined\r\n[^]*abc/)
      }
    }
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })

  it('without a body, but with a length of 0, switch', async () => {
    const instance = await lab.instance('x', () => {})
    instance.server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    })
    await a.route(httpRoute({ targets: [instance.active] }))
    const head = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n'
    expect(await raw(lab, a.port, head)).toMatch(/^HTTP\/1.1 101 /)
  })

  it('pass on the bytes that an instance may send before and with its answer', async () => {
    const instance = await byteServer(lab, 'x')
    await a.route(httpRoute({ targets: [instance.active] }))
    const handshake = (sent: string): Promise<string> => {
      const path = `/b64/${Buffer.from(sent, 'latin1').toString('base64url')}`
      const fields = 'Host: h\r\nConnection: Upgrade\r\nUpgrade: made-up/1'
      return raw(lab, a.port, `GET ${path} HTTP/1.1\r\n${fields}\r\n\r\n`)
    }
    const before = 'HTTP/1.1 103 E\r\nLink: <\xe9>, </b>;\r\n\r\n'
    const declined =
      'HTTP/1.1 426 P\xe1\r\nConnection: Upgrade\r\nUpgrade: made-up/2\r\nTrailer: X\r\nContent-Length: 2\r\nContent-Disposition: a; b="\xe9"\r\n\r\nno'
    const answer = await handshake(`HTTP/1.1 100 Continue\r\n\r\n${before}${declined}`)
    expect(answer.startsWith(`${before}HTTP/1.1 426 P\xe1\r\n`)).toBe(true)
    for (const field of ['Connection: close, upgrade', 'Upgrade: made-up/2', 'Content-Disposition: a; b="\xe9"']) {
      expect(answer).toContain(`\r\n${field}\r\n`)
    }
    expect(answer).toMatch(/\r\n\r\nno$/)
    const trailers = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n'
    expect(await handshake(trailers)).toMatch(/\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n$/)
  })

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n'],
    ['a 101 without a protocol', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ])('that get %s as an answer get 502, and the request is sent to no other instance', async (_what, sent) => {
    const instance = await lab.tcpInstance('x', (socket) => {
      socket.on('error', () => {}).once('data', () => socket.write(sent))
    })
    await a.route(httpRoute({ targets: [instance.active] }))
    expect(await raw(lab, a.port, ask101)).toMatch(/^HTTP\/1.1 502 /)
    expect(instance.connections).toBe(1)
  })
})
