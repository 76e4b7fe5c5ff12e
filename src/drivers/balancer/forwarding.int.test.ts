import { once } from 'node:events'
import { request, type IncomingMessage, type RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, BalancerLab, httpRoute, raw, readAll, type LabInstance, type LabMachine } from './balancerLab.ts'

let lab: BalancerLab
let a: LabMachine
let b: LabMachine
let c: LabMachine
let last = -1

beforeEach(async () => {
  lab = new BalancerLab()
  ;[a, b, c] = await Promise.all([lab.machine('a'), lab.machine('b'), lab.machine('c')])
})
afterEach(() => lab.close())

const echo: RequestListener = (request, response) => {
  void readAll(request).then((body) => response.end(JSON.stringify({ headers: request.headers, length: body.length })))
}

/** One instance on `b`; `a` has none and may use `b` and `c`. */
async function remote(listener: RequestListener): Promise<LabInstance> {
  const instance = await lab.instance('b1', listener)
  await b.route(httpRoute({ targets: [instance.active], peers: [a.peer] }))
  await c.route(httpRoute({ peers: [a.peer, b.peer] }))
  await a.route(httpRoute({ peers: [b.peer, c.peer] }))
  return instance
}

describe('forwarding', () => {
  it('uses another machine only when no local instance takes work', async () => {
    const [here, there] = [await lab.instance('a1', echo), await lab.instance('b1', echo)]
    await b.route(httpRoute({ targets: [there.active], peers: [a.peer] }))
    await a.route(httpRoute({ targets: [here.active], peers: [b.peer] }))
    expect((await ask(a.port)).status).toBe(200)
    expect([here.connections, there.connections]).toEqual([1, 0])
    await a.route(httpRoute({ targets: [here.draining], peers: [b.peer] }))
    expect((await ask(a.port)).status).toBe(200)
    expect([here.connections, there.connections]).toEqual([1, 1])
  })

  it('counts the work where the instance is', async () => {
    const arrived = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    await remote((_request, response) => {
      arrived.resolve()
      void go.promise.then(() => response.end('x'))
    })
    const answer = ask(a.port)
    await arrived.promise
    expect(b.balancer.inFlight('b1')).toEqual({ work: 1, long: 0 })
    expect(a.balancer.inFlight('b1')).toEqual({ work: 0, long: 0 })
    go.resolve()
    expect((await answer).body).toBe('x')
    expect(b.balancer.inFlight('b1').work).toBe(0)
  })

  it('passes on the client headers of the entry, and none of its internal headers', async () => {
    await remote(echo)
    const { headers } = JSON.parse((await ask(a.port, { headers: { host: 'shop.test' } })).body)
    expect(headers).toMatchObject({
      host: 'shop.test',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'shop.test',
    })
    expect(Object.keys(headers).filter((name) => name.startsWith('tandem'))).toEqual([])
  })

  it('tries the next peer, with the whole body, when a peer has no instance either', async () => {
    await remote(echo)
    await a.route(httpRoute({ peers: [c.peer, b.peer] }))
    for (let i = 0; i < 6; i += 1) {
      const answer = await ask(a.port, { method: 'POST', body: Buffer.alloc(3_000_000) })
      expect([answer.status, JSON.parse(answer.body).length]).toEqual([200, 3_000_000])
    }
    expect(c.refused('unprocessed')).toBeGreaterThan(0)
    expect(a.balancer.counters().retries).toBe(c.refused('unprocessed'))
  })

  it('sends only a small part of a body before a peer has accepted the work, so that all of it can be sent again', async () => {
    const received: number[] = []
    const silent = await lab.tcpInstance('silent', (socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => received.push(chunk.length))
    })
    await a.route(httpRoute({ peers: [{ machine: 'silent', host: '127.0.0.1', port: silent.port }] }))
    const body = Buffer.alloc(20_000_000)
    const answer = ask(a.port, { method: 'POST', body })
    const total = (): number => received.reduce((sum, length) => sum + length, 0)
    await expect.poll(total).toBeGreaterThan(60_000)
    await expect.poll(() => [total() === last, (last = total())][0], { interval: 100 }).toBe(true)
    expect(total()).toBeLessThan(256_000)
    for (const socket of silent.sockets) socket.write('HTTP/1.1 102 Processing\r\n\r\n')
    await expect.poll(total).toBeGreaterThan(body.length)
    for (const socket of silent.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect((await answer).body).toBe('ok')
  })

  it('does not trust a peer that refuses after it has read more of a body than is kept', async () => {
    const late = await lab.tcpInstance('late', (socket) => {
      let total = 0
      socket.on('error', () => {})
      socket.once('data', () => socket.write('HTTP/1.1 102 Processing\r\n\r\n'))
      socket.on('data', (chunk) => {
        total += chunk.length
        if (total < 1_000_000) return
        total = -Infinity
        socket.write('HTTP/1.1 503 No\r\nTandem-Unprocessed: 1\r\nContent-Length: 0\r\n\r\n')
      })
    })
    const good = await lab.instance('b1', echo)
    await b.route(httpRoute({ targets: [good.active] }))
    await a.route(httpRoute({ peers: [{ machine: 'late', host: '127.0.0.1', port: late.port }, b.peer] }))
    const answer = await ask(a.port, { method: 'POST', body: Buffer.alloc(2_000_000) })
    expect([answer.status, good.connections]).toEqual([502, 0])
  })

  it('tries the next peer with a small repeatable request that broke at the first peer', async () => {
    const bad = await lab.instance('c1', (request) => void request.resume().on('end', () => request.socket.destroy()))
    const good = await lab.instance('b1', echo)
    await c.route(httpRoute({ targets: [bad.active] }))
    await b.route(httpRoute({ targets: [good.active] }))
    await a.route(httpRoute({ peers: [c.peer, b.peer] }))
    for (let i = 0; i < 4; i += 1) {
      const answer = await ask(a.port, { method: 'PUT', body: 'x'.repeat(30_000) })
      expect([answer.status, JSON.parse(answer.body).length]).toEqual([200, 30_000])
    }
    expect(bad.connections).toBeGreaterThan(0)
  })

  it('never forwards in a circle: with no instance anywhere it answers 503 at once', async () => {
    await Promise.all([
      a.route(httpRoute({ peers: [b.peer, c.peer] })),
      b.route(httpRoute({ peers: [a.peer, c.peer] })),
      c.route(httpRoute({ peers: [a.peer, b.peer] })),
    ])
    const answer = await ask(a.port)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.headers).not.toHaveProperty('tandem-unprocessed')
    expect([a, b, c].map((machine) => machine.refused('unprocessed'))).toEqual([0, 1, 1])
  })

  it('skips a peer that is not there', async () => {
    const gone = await lab.machine('gone')
    const peer = gone.peer
    await gone.balancer.close()
    await remote(echo)
    await a.route(httpRoute({ peers: [peer, b.peer] }))
    for (let i = 0; i < 4; i += 1) expect((await ask(a.port, { method: 'POST', body: 'x' })).status).toBe(200)
  })

  it('streams both ways through two machines', async () => {
    await remote((request, response) => {
      response.flushHeaders()
      request.pipe(response)
    })
    const sent = request({ port: a.port, method: 'POST', agent: false })
    sent.write('one')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect(String((await once(answer, 'data'))[0])).toBe('one')
    sent.write('two')
    expect(String((await once(answer, 'data'))[0])).toBe('two')
    sent.end()
    await once(answer, 'end')
  })

  it('itself answers 100 Continue, and the peer takes the body', async () => {
    await remote(echo)
    const sent = request({ port: a.port, method: 'POST', headers: { expect: '100-continue', 'content-length': 5 } })
    await once(sent.end === undefined ? sent : (sent.flushHeaders(), sent), 'continue')
    sent.end('hello')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect(JSON.parse((await readAll(answer)).toString()).length).toBe(5)
  })

  it('does not repeat a request on a peer that an instance there may have processed', async () => {
    let times = 0
    await remote((request) => {
      times += 1
      request.socket.destroy()
    })
    const answer = await ask(a.port, { method: 'POST', body: 'pay' })
    expect([answer.status, times]).toEqual([502, 1])
    expect(answer.body).toContain('may have been processed')
  })
})

describe('the forwarding port', () => {
  it('accepts only forwarded work', async () => {
    const instance = await remote(echo)
    const answer = await ask(b.balancer.ports.forward)
    expect([answer.status, instance.connections]).toEqual([403, 0])
    expect(b.refused('not-forwarded')).toBe(1)
    const upgrade = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
    expect(await raw(lab, b.balancer.ports.forward, upgrade)).toMatch(/^HTTP\/1.1 403 /)
    expect(await raw(lab, b.balancer.ports.forward, 'CONNECT 1.tcp.tandem:1 HTTP/1.1\r\nHost: h\r\n\r\n')).toMatch(
      /^HTTP\/1.1 403 /,
    )
  })

  it('refuses work as unprocessed, before it reads the body', async () => {
    const head =
      'POST / HTTP/1.1\r\nHost: h\r\nTandem-Forwarded: a\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n'
    await b.route(httpRoute({ peers: [a.peer] }))
    expect(await raw(lab, b.balancer.ports.forward, head)).toMatch(/^HTTP\/1.1 503 [^]*tandem-unprocessed: 1\r\n/)
  })

  it('cannot be simulated by a client at the entry', async () => {
    await b.route(httpRoute({}))
    await a.route(httpRoute({ peers: [b.peer] }))
    const answer = await ask(a.port, { headers: { 'tandem-forwarded': 'b', 'tandem-unprocessed': '1' } })
    expect(answer.headers).not.toHaveProperty('tandem-unprocessed')
    expect(b.refused('unprocessed')).toBe(1) // the request was forwarded: the header of the client had no effect
  })

  it('cannot be simulated by an instance', async () => {
    await remote((_request, response) => void response.writeHead(503, { 'tandem-unprocessed': '1' }).end('mine'))
    const answer = await ask(a.port)
    expect([answer.status, answer.body]).toEqual([503, 'mine'])
    expect(a.balancer.counters().retries).toBe(0)
  })
})
