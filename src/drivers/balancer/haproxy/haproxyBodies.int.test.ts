import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { freePort } from '../../../lib/freePort.ts'
import { type BalancerLab, httpRoute, type LabInstance, localPort, raw } from '../balancerLab.ts'
import { eachInALab, type HaproxyLab, type HaproxyMachine } from './haproxyLab.ts'

let lab: BalancerLab
let machines: HaproxyLab
eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

const limit = 200_000

/** Records the length of each body, and whether the body arrived completely. */
async function counting(name: string): Promise<LabInstance & { bodies: { bytes: number; whole: boolean }[] }> {
  const bodies: { bytes: number; whole: boolean }[] = []
  const instance = await lab.instance(name, (request, response) => {
    const body = { bytes: 0, whole: false }
    bodies.push(body)
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => (body.bytes += chunk.length))
    request.on('end', () => {
      body.whole = true
      response.end(`${name} ${body.bytes}`)
    })
  })
  return Object.assign(instance, { bodies })
}

/** Sends a request with a chunked body, byte for byte; resolves with the answer up to the end of the connection. */
async function chunked(
  port: number,
  bytes: number,
  { more = '', end = '0\r\n\r\n', host = '127.0.0.1' } = {},
): Promise<string> {
  const socket = await lab.connect(port, host)
  socket.on('error', () => {}) // HAProxy may close the connection during the upload
  let answer = ''
  const over = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (/^HTTP\/1\.1 (?!100)/m.test(answer) && answer.includes('\r\n\r\n')) resolve()
    })
    socket.once('close', () => resolve())
  })
  const step = 50_000
  socket.write(`POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n${more}\r\n`)
  for (let left = bytes; left > 0; left -= step) {
    const length = Math.min(left, step)
    const isFull = !socket.write(`${length.toString(16)}\r\n${'x'.repeat(length)}\r\n`)
    if (isFull) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), over])
    if (socket.destroyed) break
  }
  if (!socket.destroyed) socket.write(end)
  await over
  return answer
}

describe('a body without a length', () => {
  let a: HaproxyMachine
  let x: Awaited<ReturnType<typeof counting>>
  let securePort: number

  beforeEach(async () => {
    const { cert, key } = machines.authority.firstOf('public')
    const certificates = join(machines.folder, 'certificates')
    mkdirSync(certificates)
    writeFileSync(join(certificates, 'public.pem'), readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
    securePort = await freePort()
    a = await machines.machine('a', { https: { port: securePort, certificates } })
    x = await counting('x-1')
    await a.route(httpRoute({ targets: [x.active], bodyBytes: limit }))
  })

  const session = (): ClientHttp2Session => {
    const made = connectHttp2(`https://127.0.0.1:${securePort}`, { rejectUnauthorized: false })
    lab.onClose(() => made.destroy())
    made.on('error', () => {})
    return made
  }

  /** Sends by HTTP/2, without `content-length`; `null`: the request ends with the head. */
  async function http2(bytes: number | null, head: OutgoingHttpHeaders = { ':method': 'POST' }): Promise<unknown> {
    const stream = session().request({ ':path': '/', ...head }, { endStream: bytes === null })
    stream.on('error', () => {})
    if (bytes !== null) stream.end(Buffer.alloc(bytes))
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
    stream.resume()
    return headers[':status']
  }

  it('is answered 413 once it exceeds the limit of its service: chunked', async () => {
    expect(await chunked(a.port, limit * 3)).not.toMatch(/^HTTP\/1\.1 200 /)
    // The test sends no more than that: a client that is still sending when the connection closes may miss the answer.
    const answer = await chunked(a.port, limit + 1, { end: '' })
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*exceeds the limit of 200000 bytes\.\n$/)
    expect(x.bodies.every(({ whole, bytes }) => !whole && bytes <= limit)).toBe(true)
  })

  it('is answered 413 once it exceeds the limit of its service: HTTP/2', async () => {
    expect(await http2(limit * 3)).toBe(413)
    expect(x.bodies.every(({ whole, bytes }) => !whole && bytes <= limit)).toBe(true)
  })

  it('is answered 413 at once if it arrives together with the head', async () => {
    await a.route(httpRoute({ targets: [x.active], bodyBytes: 10 }))
    const text =
      'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n'
    expect(await raw(lab, a.port, text)).toMatch(/^HTTP\/1\.1 413 /)
    expect(x.bodies).toEqual([])
  })

  it('arrives whole up to the limit, by both protocols, with the requested interim answer', async () => {
    expect(await chunked(a.port, limit)).toMatch(/^HTTP\/1\.1 200 [\s\S]*x-1 200000$/)
    expect(await chunked(a.port, 100, { more: 'Expect: 100-continue\r\n' })).toMatch(/^HTTP\/1\.1 100 [\s\S]*x-1 100/)
    expect(await http2(limit)).toBe(200)
    expect(x.bodies.map(({ bytes }) => bytes)).toEqual([limit, 100, limit])
  })

  it('is not assumed where there is no body', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
      expect(await http2(null, { ':method': method })).toBe(200)
      expect(await raw(lab, a.port, `${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 200 /,
      )
    }
    expect(x.bodies.every(({ bytes }) => bytes === 0)).toBe(true)
  })

  it('is answered 400 if it is malformed, and not 413', async () => {
    const text = `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n`
    const socket = await lab.connect(a.port)
    socket.write(text)
    await expect.poll(() => x.bodies[0]?.bytes).toBe(5)
    socket.write('no length\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 [\s\S]*malformed\.\n$/)
  })

  it('is also counted if an instance of another machine takes it', async () => {
    const b = await machines.machine('b')
    await b.route(httpRoute({ targets: [x.active], bodyBytes: limit }))
    await a.route(httpRoute({ peers: [b.peer], bodyBytes: limit }))
    expect(await chunked(a.port, limit)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await chunked(a.port, limit * 3)).not.toMatch(/^HTTP\/1\.1 200 /)
    expect(await chunked(a.port, limit + 1, { end: '' })).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('is also counted at a local port of the service', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux has these loopback addresses')
    const host = '127.77.1.1'
    const port = await freePort(host)
    await a.route(httpRoute({ own: localPort('shop', port, host), targets: [x.active], bodyBytes: limit }))
    expect(await chunked(port, limit, { host })).toMatch(/^HTTP\/1\.1 200 /)
    expect(await chunked(port, limit + 1, { host, end: '' })).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('is counted as work of its instance, once', async () => {
    const socket = await lab.connect(a.port)
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n`)
    await expect.poll(() => x.bodies[0]?.bytes).toBe(5)
    await expect.poll(() => a.balancer.inFlight('x-1')).toEqual({ work: 1, long: 0 })
    socket.write('0\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 [\s\S]*x-1 5$/)
  })

  it('does not limit WebSockets, however much they carry', async () => {
    const sockets = new WebSocketServer({ server: x.server as Server }) // `instance` makes an HTTP server
    sockets.on('connection', (socket) => socket.on('message', () => socket.send('taken')))
    const socket = new WebSocket(`ws://127.0.0.1:${a.port}/`)
    await once(socket, 'open')
    for (let i = 0; i < 5; i += 1) {
      socket.send('x'.repeat(limit))
      expect(String((await once(socket, 'message'))[0])).toBe('taken')
    }
    socket.terminate()
    sockets.close()
  })
})
