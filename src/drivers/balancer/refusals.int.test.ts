import { once } from 'node:events'
import { connect } from 'node:net'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ask,
  BalancerLab,
  httpRoute,
  raw,
  readAll,
  readUntil,
  type LabInstance,
  type LabMachine,
} from './balancerLab.ts'

let lab: BalancerLab
let machine: LabMachine
let instance: LabInstance
/** Requests that reached the instance completely. */
let whole: string[]

beforeEach(async () => {
  lab = new BalancerLab()
  whole = []
  machine = await lab.machine('a', { connections: 20, headerBytes: 8 * 1024, headersMs: 300, lingerMs: 500 })
  instance = await lab.instance('x', (request, response) => {
    readAll(request).then(
      (body) => {
        whole.push(`${request.method} ${request.url} ${body.length}`)
        response.end('served')
      },
      () => {},
    )
  })
  await machine.route(httpRoute({ targets: [instance.active], bodyBytes: 100_000 }))
})
afterEach(() => lab.close())

describe('malformed requests', () => {
  it.each([
    ['two lengths that differ', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['two lengths that agree', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na'],
    ['a list of lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na'],
    ['a signed length', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'chunks and length',
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown coding', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked not last', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n'],
    ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: h\r\nX-A: a\rX-B: b\r\n\r\n'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n'],
    ['an invalid Host', 'GET / HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n'],
    ['an absolute target with an invalid host', 'GET http://[::1/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'],
    ['two Hosts in an upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
    ['a target that is no path', 'OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'],
    ['a bad chunk size', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n'],
    [
      'a chunk longer than its size',
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n',
    ],
    ['a negative chunk', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n'],
    ['a chunk size past 2^64', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n'],
    ['a control character in a target', 'GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
  ])('get 400, and no instance sees the request: %s', async (_what, text) => {
    expect(await raw(lab, machine.port, text)).toMatch(/^HTTP\/1.1 400 /)
    expect(whole).toEqual([])
    const served = await ask(machine.port)
    expect(served.body).toBe('served')
  })

  it('get 400 also when the body becomes malformed after half of it was passed on; the instance never sees its end', async () => {
    const socket = await lab.connect(machine.port)
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    const [upstream] = (await once(instance.server, 'request')) as [IncomingMessage]
    const gone = new Promise((resolve) => upstream.once('close', resolve))
    socket.write('nonsense\r\n')
    expect(await readUntil(socket, () => false)).toMatch(/^HTTP\/1.1 400 /)
    await gone
    expect(whole).toEqual([])
    expect(machine.refused('malformed')).toBe(1)
    expect(machine.balancer.inFlight('x').work).toBe(0)
  })
})

it('a malformed body after the answer has begun ends the connection and adds nothing to the answer', async () => {
  instance.server.removeAllListeners('request')
  instance.server.on('request', (_request: IncomingMessage, response: ServerResponse) => void response.write('begun'))
  const socket = await lab.connect(machine.port)
  socket.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
  await readUntil(socket, (text) => text.includes('begun'))
  const rest = readUntil(socket, () => false)
  socket.write('nonsense\r\n')
  expect(await rest).toBe('')
  await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
})

describe('limits', () => {
  it('headers: 431', async () => {
    const answer = await raw(lab, machine.port, `GET / HTTP/1.1\r\nHost: h\r\nX-Big: ${'x'.repeat(9000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
    expect(machine.refused('headers')).toBe(1)
  })

  it('many small headers all pass, below that limit', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `n${index}`)
    instance.server.removeAllListeners('request')
    instance.server.on('request', (request: IncomingMessage, response) => {
      response.end(String(request.rawHeaders.filter((text, index) => index % 2 === 0 && /^n\d+$/.test(text)).length))
    })
    Object.assign(instance.server, { maxHeadersCount: 0 })
    const lines = names.map((name) => `${name}:\r\n`).join('')
    const answer = await raw(lab, machine.port, `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines}\r\n`)
    expect(answer).toMatch(/\r\n1000\r\n|\r\n\r\n1000$/)
  })

  it('headers that do not end: 408', async () => {
    expect(await raw(lab, machine.port, 'GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ')).toMatch(/^HTTP\/1.1 408 /)
  })

  it('a body whose length exceeds the limit: 413 before any byte of it is read', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n'
    const socket = await lab.connect(machine.port)
    socket.write(head)
    expect(await readUntil(socket, (text) => text.includes('limit of 100000'))).toMatch(/^HTTP\/1.1 413 /)
    expect(instance.connections).toBe(0)
    expect(machine.refused('body')).toBe(1)
  })

  it('a chunked body that grows over the limit: 413, and the instance never sees its end', async () => {
    const sent = request({ port: machine.port, method: 'POST', agent: false })
    sent.on('error', () => {}) // the connection ends during the rest of the upload
    const [answer] = await Promise.all([once(sent, 'response'), Promise.resolve(sent.write('z'.repeat(150_000)))])
    const response = answer[0] as IncomingMessage
    expect(response.statusCode).toBe(413)
    expect((await readAll(response)).toString()).toContain('100000 bytes')
    expect(whole).toEqual([])
    expect(machine.balancer.inFlight('x').work).toBe(0)
    sent.destroy()
  })

  it('a client that never stops sending after an early answer is cut', async () => {
    const socket = await lab.connect(machine.port)
    socket.on('error', () => {})
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n')
    expect(await readUntil(socket, (text) => text.includes('100000 bytes'))).toMatch(/^HTTP\/1.1 413 /)
    expect(await readUntil(socket, () => false)).toBe('')
  })

  it('a body just at the limit passes', async () => {
    expect((await ask(machine.port, { method: 'POST', body: 'z'.repeat(100_000) })).body).toBe('served')
  })

  it('connections: one too many is closed at once and counted; after one ends there is room again', async () => {
    const open = await Promise.all(Array.from({ length: 20 }, () => lab.connect(machine.port)))
    await expect.poll(() => machine.balancer.counters().openConnections).toBe(20)
    const extra = connect({ port: machine.port, host: '127.0.0.1' })
    extra.on('error', () => {})
    await once(extra, 'close')
    expect(machine.refused('connections')).toBe(1)
    open[0]?.destroy()
    await expect.poll(() => machine.balancer.counters().openConnections).toBe(19)
    expect((await ask(machine.port)).status).toBe(200)
  })
})

describe('pages', () => {
  it('503 and no 404 before the first plan: a machine that starts does not know its routes yet', async () => {
    const started = await lab.machine('b')
    const answer = await ask(started.port)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    const upgrade = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
    expect(await raw(lab, started.port, upgrade)).toMatch(/^HTTP\/1.1 503 /)
    await started.route()
    expect((await ask(started.port)).status).toBe(404)
  })

  it('404 for a request without a route', async () => {
    await machine.route(httpRoute({ host: 'only.this', targets: [instance.active] }))
    const answer = await ask(machine.port, { headers: { host: 'other' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8'])
    expect((await ask(machine.port, { headers: { host: 'ONLY.this:99' } })).body).toBe('served')
  })

  it('503 with the service and the next step when there is no instance', async () => {
    await machine.route(httpRoute({}))
    const answer = await ask(machine.port)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.body).toContain('service shop')
    expect(answer.body).toContain('tandem status shop')
    expect(machine.refused('no-instance')).toBe(1)
    expect(machine.balancer.counters().requests).toEqual([{ service: 'shop', statusClass: '5xx', count: 1 }])
  })

  it('405 for CONNECT at the entry, which is not an open proxy', async () => {
    expect(await raw(lab, machine.port, 'CONNECT 5672.tcp.tandem:5672 HTTP/1.1\r\nHost: h\r\n\r\n')).toMatch(
      /^HTTP\/1.1 405 /,
    )
  })
})
