import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { parseDefinition } from '../definitions/parseDefinition.ts'
import { probe, type ProbeResult } from './probe.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(answer: (socket: Socket, request: string) => void): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.once('data', (request) => answer(socket, String(request)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port // it listens on TCP
}

const ask = (port: number, health = 'timeout: 2s'): Promise<ProbeResult> => {
  const { definition } = parseDefinition(`service: x\nrun: x\nhealth: { path: /up?a=b, ${health} }\n`, 'tandem.yaml')
  return probe(definition, port, new AbortController().signal, systemClock)
}

describe('a probe', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n', { ok: true }],
    ['HTTP/1.0 302 Found\r\nlocation: /\r\n\r\n', { ok: true }],
    ['HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', { ok: true }],
    ['HTTP/1.1 404 Not Found\r\n\r\n', { ok: false, reason: 'GET /up?a=b answered 404' }],
    ['HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 No\r\n\r\n', { ok: false, reason: 'GET /up?a=b answered 503' }],
  ])('is judged by the final status: %j', async (answer, result) => {
    expect(await ask(await serve((socket) => socket.end(answer)))).toEqual(result)
  })

  it.each([
    ['status: 204', 204, null],
    ['status: 204', 200, 'GET /up?a=b answered 200, and `health.status` is 204'],
    ['status: [200-299, 401]', 401, null],
    ['status: [200-299, 401]', 302, 'GET /up?a=b answered 302, and `health.status` is 200-299, 401'],
  ])('is judged by `%s`: %i', async (written, status, reason) => {
    const port = await serve((socket) => socket.end(`HTTP/1.1 ${status} x\r\n\r\n`))
    expect(await ask(port, written)).toEqual(reason === null ? { ok: true } : { ok: false, reason })
  })

  it('sends the fields of `health.header`', async () => {
    let asked = ''
    const port = await serve((socket, request) => {
      asked = request
      socket.end('HTTP/1.1 200 OK\r\n\r\n')
    })
    expect(await ask(port, 'header: { X-Probe: 1, user-agent: mine }')).toEqual({ ok: true })
    expect(asked).toBe(
      `GET /up?a=b HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Probe: 1\r\nuser-agent: mine\r\nConnection: close\r\n\r\n`,
    )
  })

  it('requests the path exactly as written, and accepts an answer in pieces', async () => {
    let asked = ''
    const port = await serve((socket, request) => {
      asked = request
      socket.setNoDelay(true)
      for (const piece of ['HTT', 'P/1.1 2', '00 O', 'K\r\n', '\r\n']) socket.write(piece)
    })
    expect(await ask(port)).toEqual({ ok: true })
    expect(asked.split('\r\n').slice(0, 2)).toEqual(['GET /up?a=b HTTP/1.1', `Host: 127.0.0.1:${port}`])
  })

  it.each([
    ['routes: [{ path: /a }, { host: Shop.Example.com }]', 'shop.example.com'],
    ['routes: [{ host: shop.example.com }]\nhealth: { host: Inner.Example }', 'inner.example'],
    ['health: { host: inner.example }', 'inner.example'],
    ['routes: [{ path: /a }]', null],
  ])('names the host of %j', async (more, host) => {
    let asked = ''
    const port = await serve((socket, request) => {
      asked = request
      socket.end('HTTP/1.1 200 OK\r\n\r\n')
    })
    const { definition } = parseDefinition(`service: x\nrun: x\n${more}\n`, 'tandem.yaml')
    await probe(definition, port, new AbortController().signal, systemClock)
    expect(asked).toContain(`\r\nHost: ${host ?? `127.0.0.1:${port}`}\r\n`)
  })

  it('of a release from before there was health.host still names the address', async () => {
    let asked = ''
    const port = await serve((socket, request) => {
      asked = request
      socket.end('HTTP/1.1 200 OK\r\n\r\n')
    })
    const routes = [{ host: 'shop.example.com', path: '/' }]
    await probe(aDefinition({ routes }), port, new AbortController().signal, systemClock)
    expect(asked).toContain(`\r\nHost: 127.0.0.1:${port}\r\n`)
  })

  it('accepts a timeout longer than a timer can count', async () => {
    const port = await serve((socket) => void setTimeout(() => socket.end('HTTP/1.1 200 OK\r\n\r\n'), 50))
    expect(await ask(port, 'timeout: 720h')).toEqual({ ok: true })
  })

  it('lets a service write a short answer to its end', async () => {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    const port = await serve((socket) => {
      socket.on('error', resolve)
      socket.end(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(200_000)}`, () => resolve(undefined))
    })
    expect(await ask(port)).toEqual({ ok: true })
    expect(await promise).toBeUndefined()
  })

  it.each([
    ['closes without an answer', (socket: Socket) => socket.end(), 'was not answered: the connection was closed'],
    ['speaks something else', (socket: Socket) => socket.write('x'.repeat(20_000)), 'is not HTTP/1'],
    ['sends nothing', () => {}, 'got no answer within 100 ms'],
  ])('misses if the service %s', async (_, answer, reason) => {
    const result = await ask(await serve(answer), 'timeout: 100ms')
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining(reason) })
  })

  it('reports that nothing listens', async () => {
    const port = await serve(() => {})
    await closing.pop()?.()
    expect(await ask(port)).toMatchObject({ ok: false, isClosed: true })
  })
})
