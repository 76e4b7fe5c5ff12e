import { once } from 'node:events'
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
let handle: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  lab = new BalancerLab()
  machine = await lab.machine('a')
  instance = await lab.instance('x', (request, response) => handle(request, response))
  await machine.route(httpRoute({ targets: [instance.active] }))
})
afterEach(() => lab.close())

/** The instance reports the request that it got. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  void readAll(request).then((body) => {
    const { method, url, headers, rawHeaders } = request
    response.end(JSON.stringify({ method, url, headers, rawHeaders, body: body.toString() }))
  })
}

describe('pass-through', () => {
  it.each(['/a%2Fb//c/../d;x=1?q=%20+a&q=&=&%zz', '/?', '/?a=b?c=/d', "/~!$&'()*+,;=:@"])(
    'leaves the target %s unchanged',
    async (target) => {
      handle = (request, response) => response.end(request.url)
      const answer = await raw(lab, machine.port, `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
      expect(answer.split('\r\n\r\n')[1]).toBe(target)
    },
  )

  it('serves an absolute target by the host in the target', async () => {
    handle = echo
    const answer = await raw(
      lab,
      machine.port,
      'GET http://other:1/p?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toContain('"url":"/p?q"')
    expect(answer).toContain('"host":"other:1"')
  })

  it('keeps the order and case of the headers of both sides, and repeated headers', async () => {
    let seen: string[] = []
    handle = (request, response) => {
      seen = request.rawHeaders
      response.writeHead(201, 'Quite Fine', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-CaSe', 'ü'])
      response.end()
    }
    const answer = await ask(machine.port, { headers: { 'X-OnE': ['1', '2'] } })
    expect(seen.filter((_, index) => seen[index - (index % 2)] === 'X-OnE')).toEqual(['X-OnE', '1', 'X-OnE', '2'])
    expect(answer.status).toBe(201)
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(answer.rawHeaders).toContain('X-CaSe')
    expect(answer.headers['x-case']).toBe('ü')
  })

  it('names the client in its headers, whatever the client claims', async () => {
    handle = echo
    const claimed = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-forwarded-ssl': 'on',
      forwarded: 'for=6',
    }
    const { headers } = JSON.parse((await ask(machine.port, { headers: { ...claimed, host: 'shop.example' } })).body)
    expect(headers).toMatchObject({
      host: 'shop.example',
      'x-forwarded-for': '6.6.6.6, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example',
    })
    expect(Object.keys(headers)).not.toContain('x-forwarded-ssl')
    expect(Object.keys(headers)).not.toContain('forwarded')
  })

  it('does not pass on the headers of one hop', async () => {
    let seen: IncomingMessage['headers'] = {}
    handle = (request, response) => {
      seen = request.headers
      response.writeHead(200, {
        connection: 'x-hop, keep-alive',
        'x-hop': '1',
        'keep-alive': 'timeout=1',
        'x-kept': '1',
      })
      response.end()
    }
    const sent = {
      connection: 'x-mine, close',
      'x-mine': '1',
      te: 'trailers',
      'proxy-connection': 'close',
      'x-kept': '1',
    }
    const answer = await ask(machine.port, { headers: sent })
    for (const name of ['x-mine', 'te', 'proxy-connection']) expect(seen).not.toHaveProperty(name)
    expect(seen['x-kept']).toBe('1')
    expect(answer.headers).not.toHaveProperty('x-hop')
    expect(answer.headers['x-kept']).toBe('1')
  })

  it('answers HEAD, 204 and 304 without a body, and the connection stays open', async () => {
    handle = (request, response) => {
      const status = Number(request.url?.slice(1))
      response.writeHead(status, status === 200 ? { 'content-length': '5' } : { etag: '"v"' })
      response.end(status === 200 ? 'hello' : undefined)
    }
    const agent = lab.agent()
    agent.maxSockets = 1
    const head = await ask(machine.port, { method: 'HEAD', path: '/200', agent })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', ''])
    for (const status of [204, 304, 200]) {
      const answer = await ask(machine.port, { path: `/${status}`, agent })
      expect([answer.status, answer.body]).toEqual([status, status === 200 ? 'hello' : ''])
    }
    expect(machine.balancer.counters().openConnections).toBe(1)
  })

  it('passes on an answer without a length, chunked, with its trailers', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('part')
      response.addTrailers({ 'x-sum': '42' })
      response.end()
    }
    const answer = await ask(machine.port)
    expect([answer.body, answer.trailers['x-sum'], answer.headers.trailer]).toEqual(['part', '42', 'x-sum'])
  })

  it('passes early hints on', async () => {
    handle = (_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.end('x')
    }
    const answer = await raw(lab, machine.port, 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 103 .*\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 200 /)
  })

  it('serves HTTP/1.0', async () => {
    handle = (_request, response) => {
      response.write('a')
      response.end('b')
    }
    const answer = await raw(lab, machine.port, 'GET / HTTP/1.0\r\nHost: h\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\nab$/)
  })

  it('accepts answers that end with their connection, as old servers send them', async () => {
    const old = await lab.tcpInstance('old', (socket) => {
      socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\nServer: old\r\n\r\n${'z'.repeat(300_000)}`))
    })
    await machine.route(httpRoute({ targets: [old.active] }))
    const agent = lab.agent()
    for (let i = 0; i < 2; i += 1) expect((await ask(machine.port, { agent })).body).toHaveLength(300_000)
    expect(machine.balancer.counters().openConnections).toBe(1)
  })

  it('keeps connections alive on both sides', async () => {
    handle = (_request, response) => response.end('x')
    const agent = lab.agent()
    for (let i = 0; i < 10; i += 1) {
      await ask(machine.port, { agent })
      await ask(machine.port, { agent, method: 'HEAD' })
    }
    expect(instance.connections).toBe(1)
    expect(machine.balancer.counters().openConnections).toBe(1)
  })

  it('serves pipelined requests in order', async () => {
    handle = (request, response) => void setImmediate(() => response.end(request.url))
    const text = ['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join('')
    const socket = await lab.connect(machine.port)
    socket.write(text)
    const answer = await readUntil(socket, (text) => text.endsWith('/3'))
    expect(answer.match(/\/\d$|\/\d(?=HTTP)/gm)).toEqual(['/1', '/2', '/3'])
  })
})

describe('bodies', () => {
  it('flow both ways at once, piece by piece', async () => {
    handle = (request, response) => {
      response.flushHeaders()
      request.pipe(response)
    }
    const sent = request({
      port: machine.port,
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      agent: false,
    })
    sent.write('one')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    for (const piece of ['two', 'three']) {
      const previous = (await once(answer, 'data')) as [Buffer]
      expect(previous.toString()).toBe(piece === 'two' ? 'one' : 'two')
      sent.write(piece)
    }
    await once(answer, 'data')
    sent.end()
    await once(answer, 'end')
  })

  it('wait for a slow instance: an upload is not buffered in memory', async () => {
    const reading = Promise.withResolvers<IncomingMessage>()
    handle = (request, response) => {
      reading.resolve(request)
      request.on('end', () => response.end('thanks'))
    }
    const size = 64 * 1024 * 1024
    const sent = request({ port: machine.port, method: 'POST', headers: { 'content-length': size }, agent: false })
    sent.end(Buffer.alloc(size))
    const upload = await reading.promise
    await quiet(upload.socket)
    // Node writes the upload in one go: if all of it had been taken, nothing would be left to write.
    expect(sent.socket?.writableLength).toBeGreaterThan(0)
    upload.resume()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect((await readAll(answer)).toString()).toBe('thanks')
  })

  it('wait for a slow client: an answer is not buffered in memory', async () => {
    let written = 0
    let stalled = Promise.withResolvers<void>()
    const size = 64 * 1024 * 1024
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': size })
      const piece = Buffer.alloc(256 * 1024)
      const more = (): void => {
        while (written < size) {
          written += piece.length
          if (!response.write(piece)) {
            response.once('drain', more)
            void quiet(response.socket).then(() => stalled.resolve())
            return
          }
        }
        response.end()
      }
      more()
    }
    const sent = request({ port: machine.port, agent: false }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    answer.pause()
    await stalled.promise
    expect(written).toBeLessThan(size / 2)
    expect((await readAll(answer)).length).toBe(size)
  })

  it('arrive whole: 20 MB up, 20 MB down', async () => {
    handle = (request, response) => void request.pipe(response)
    const body = Buffer.alloc(20 * 1024 * 1024, 'abcdefg')
    const answer = await ask(machine.port, { method: 'PUT', body })
    expect(answer.body === body.toString()).toBe(true)
  })

  it('are sent with their original length, or chunked', async () => {
    handle = echo
    const sized = JSON.parse((await ask(machine.port, { method: 'POST', body: 'abc' })).body)
    expect([sized.headers['content-length'], sized.headers['transfer-encoding'], sized.body]).toEqual([
      '3',
      undefined,
      'abc',
    ])
    const headers = { 'transfer-encoding': 'chunked' }
    const chunked = JSON.parse((await ask(machine.port, { method: 'POST', body: 'abc', headers })).body)
    expect(chunked.headers).not.toHaveProperty('content-length')
    expect([chunked.headers['transfer-encoding'], chunked.body]).toEqual(['chunked', 'abc'])
    const none = JSON.parse((await ask(machine.port, { method: 'DELETE' })).body)
    expect(none.headers).not.toHaveProperty('transfer-encoding')
  })

  it('begin after 100 Continue, which is only sent once an instance is there', async () => {
    handle = echo
    const expecting =
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
    const socket = await lab.connect(machine.port)
    socket.write(expecting)
    expect(await readUntil(socket, (text) => text.endsWith('\r\n\r\n'))).toMatch(/^HTTP\/1.1 100 /)
    socket.write('ok')
    expect(await readUntil(socket, () => false)).toContain('"body":"ok"')
    await machine.route(httpRoute({}))
    expect(await raw(lab, machine.port, expecting)).toMatch(/^HTTP\/1.1 503 /)
  })

  it('may be answered before they are complete; the connection serves the next request', async () => {
    handle = (request, response) => {
      if (request.method === 'GET') response.end('next')
      else response.writeHead(401).end('who are you')
    }
    const socket = await lab.connect(machine.port)
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\nfirst part')
    expect(await readUntil(socket, (text) => text.includes('who are you'))).toMatch(/^HTTP\/1.1 401 /)
    socket.write('z'.repeat(200_000 - 'first part'.length))
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    expect(await readUntil(socket, () => false)).toMatch(/^HTTP\/1.1 200 [^]*next/)
  })
})

describe('event streams', () => {
  it('come through at once, are counted as long, and end when the client goes', async () => {
    const opened = Promise.withResolvers<ServerResponse>()
    handle = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      opened.resolve(response)
    }
    const sent = request({ port: machine.port, agent: false }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage] // the head alone
    const stream = await opened.promise
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      stream.write(event)
      const got = (await once(answer, 'data')) as [Buffer]
      expect(got.toString()).toBe(event)
    }
    expect(machine.balancer.inFlight('x')).toEqual({ work: 1, long: 1 })
    const closed = once(stream, 'close')
    sent.destroy()
    await closed
    await machine.route()
    await machine.told('idle', 'x')
  })
})

describe('slow work', () => {
  it('is not cut by a timeout: neither slow answers nor slow uploads, however short the limits for headers and idling', async () => {
    const quick = await lab.machine('quick', { headersMs: 200, clientIdleMs: 100, upstreamIdleMs: 50 })
    handle = (request, response) => {
      void readAll(request).then((body) => setTimeout(() => response.end(body), 600))
    }
    await quick.route(httpRoute({ targets: [instance.active] }))
    const sent = request({ port: quick.port, method: 'POST', agent: false })
    sent.write('slow ')
    // Its timeouts have passed: a head that does not arrive is given up.
    expect(await raw(lab, quick.port, 'GET / HTTP/1.1\r\n')).toContain(' 408 ')
    sent.end('upload')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect((await readAll(answer)).toString()).toBe('slow upload')
  })

  it('is not cut by the idle limit of its route while bytes arrive', async () => {
    await machine.route(httpRoute({ targets: [instance.active], idleMs: 1_000 }))
    handle = (_request, response) => {
      let count = 0
      const timer = setInterval(() => {
        response.write('.')
        if ((count += 1) < 12) return
        clearInterval(timer)
        response.end()
      }, 100)
    }
    expect((await ask(machine.port)).body).toBe('.'.repeat(12))
  })

  it('is cut by the idle limit of its route, once the answer streams', async () => {
    await machine.route(httpRoute({ targets: [instance.active], idleMs: 100 }))
    handle = (_request, response) => void response.write('and then nothing')
    await expect(ask(machine.port)).rejects.toThrow('aborted')
  })
})

/** Resolves when no byte was written or read on the socket for a quarter of a second. */
async function quiet(socket: { bytesRead: number; bytesWritten: number } | null): Promise<void> {
  let last = -1
  for (let same = 0; same < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    const now = (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0)
    same = now === last ? same + 1 : 0
    last = now
  }
}
