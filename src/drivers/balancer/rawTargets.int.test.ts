import { createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BalancerLab, httpRoute, raw, readUntil, type LabInstance, type LabMachine } from './balancerLab.ts'

/**
 * Targets with bytes beyond ASCII: no client should send them (RFC 3986), but some do, and services accept them. Text
 * here is latin1.
 */
const target = `/caf\xc3\xa9/${Buffer.from('привет').toString('latin1')}?q=\xe9%20`

let lab: BalancerLab
beforeEach(() => {
  lab = new BalancerLab()
})
afterEach(() => lab.close())

/**
 * Answers with the request line that it received, and the body; parsed by hand, because Node's parser would reject the
 * line.
 */
function echoLine(name: string): Promise<LabInstance> {
  return lab.tcpInstance(name, (socket) => {
    let got = ''
    socket.on('error', () => {}).on('end', () => socket.end())
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1')
      const head = /^([^\r]*)\r\n[^]*?\r\n\r\n/.exec(got)
      const length = Number(/content-length: (\d+)/i.exec(head?.[0] ?? '')?.[1] ?? 0)
      if (!head || got.length < head[0].length + length) return
      const said = `${head[1]} ${got.slice(head[0].length, head[0].length + length)}`
      got = got.slice(head[0].length + length)
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${said.length}\r\n\r\n${said}`, 'latin1')
    })
  })
}

describe('bytes beyond ASCII in a target', () => {
  let machine: LabMachine
  beforeEach(async () => {
    machine = await lab.machine('a')
    const instance = await echoLine('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
  })

  it.each([
    ['GET', ''],
    ['POST', 'body'],
  ])('reach the instance unchanged: %s', async (method, body) => {
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
    const head = `${method} ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${length}\r\n`
    const answer = await raw(lab, machine.port, head + body)
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(answer.split('\r\n\r\n')[1]).toBe(`${method} ${target} HTTP/1.1 ${body}`)
  })

  it('do so on a connection that has served other requests, and behind a request that is still under way', async () => {
    const client = await lab.connect(machine.port)
    client.write('GET /first HTTP/1.1\r\nHost: h\r\n\r\n')
    await readUntil(client, (text) => text.includes('GET /first'))
    client.write(
      `GET /second HTTP/1.1\r\nHost: h\r\n\r\nGET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      'latin1',
    )
    const answers = await readUntil(client, () => false)
    expect(answers.indexOf('GET /second')).toBeGreaterThan(0)
    expect(answers.indexOf(`GET ${target} `)).toBeGreaterThan(answers.indexOf('GET /second'))
  })

  it('are used for routing, and pass through another machine', async () => {
    const entry = await lab.machine('b')
    const [one, other] = [
      await echoLine('x'),
      await lab.instance('y', (_request, response) => void response.end('other')),
    ]
    await machine.route(
      httpRoute({ path: '/caf\xc3\xa9', targets: [one.active] }),
      httpRoute({ targets: [other.active] }),
    )
    await entry.route(httpRoute({ peers: [machine.peer] }))
    const answer = await raw(lab, entry.port, `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
    expect(answer.split('\r\n\r\n')[1]).toBe(`GET ${target} HTTP/1.1 `)
  })

  it('may be in an upgrade', async () => {
    const server = createTcpServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', (head) => {
          socket.write('HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: made-up\r\n\r\n')
          socket.end(head.toString('latin1').split('\r\n')[0] ?? '', 'latin1')
        })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    lab.onClose(() => void server.close())
    const port = (server.address() as { port: number }).port // it listens on TCP
    await machine.route(httpRoute({ targets: [{ instance: 'x', port, state: 'active' }] }))
    const head = `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: made-up\r\n\r\n`
    expect(await raw(lab, machine.port, head)).toMatch(new RegExp(`101 Fine[^]*\r\n\r\nGET ${escaped(target)} HTTP`))
  })

  it('belong to one request: the next request on the connection has its own target', async () => {
    const text = `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n`
    const answers = await raw(lab, machine.port, text)
    expect(answers.match(new RegExp(escaped(target), 'g'))).toHaveLength(1)
    expect(answers).toContain('Connection: close')
  })

  it('do not change how other malformed requests, limits and leaving clients are handled', async () => {
    const instance = await lab.tcpInstance('x', (socket) => {
      socket
        .on('error', () => {})
        .on('end', () => socket.end())
        .resume()
    })
    await machine.route(httpRoute({ targets: [instance.active], bodyBytes: 10 }))
    const line = `GET ${target} HTTP/1.1\r\n`
    for (const [text, status] of [
      [`${line}Host: a\r\nHost: b\r\n\r\n`, 400],
      [`${line}\r\n`, 400],
      [`${line}Host: h\r\nContent-Length: 1, 2\r\n\r\n`, 400],
      [`GET /\xe9\x01 HTTP/1.1\r\nHost: h\r\n\r\n`, 400],
      [`GET \xe9 HTTP/1.1\r\nHost: h\r\n\r\n`, 400],
      [`${line}Host: h\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
      [`${line}Host: h\r\nContent-Length: 11\r\n\r\n`, 413],
    ] as const) {
      expect(await raw(lab, machine.port, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    }
    expect(instance.connections).toBe(0)
    const client = await lab.connect(machine.port)
    client.write(`${line}Host: h\r\n\r\n`, 'latin1')
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(1)
    client.resetAndDestroy()
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
    await expect.poll(() => machine.balancer.counters().openConnections).toBe(0)
  })
})

const escaped = (text: string): string => text.replace(/[?/.]/g, '\\$&')
