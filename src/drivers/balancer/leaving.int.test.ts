import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BalancerLab, httpRoute, readUntil, type LabInstance, type LabMachine } from './balancerLab.ts'
import { HaproxyLab, whyNoHaproxy } from './haproxy/haproxyLab.ts'

let lab: BalancerLab
beforeEach(() => {
  lab = new BalancerLab()
})
afterEach(() => lab.close())

const noHaproxy = whyNoHaproxy()
const upgrade = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** Takes requests and answers on request of the test. */
async function slow(name: string): Promise<LabInstance & { hanging: ServerResponse[] }> {
  const hanging: ServerResponse[] = []
  return Object.assign(await lab.instance(name, (_request, response) => void hanging.push(response)), { hanging })
}

/** Accepts connections and sends nothing. */
function silent(name: string): Promise<LabInstance> {
  return lab.tcpInstance(name, (socket) => {
    socket
      .on('error', () => {})
      .on('end', () => socket.end())
      .resume()
  })
}

describe.each([
  ['embedded', () => lab.machine('a'), null],
  ['haproxy', () => new HaproxyLab(lab).machine('a'), noHaproxy],
])('a client that ends its side after a whole request: %s', (_name, start, whyNot) => {
  beforeEach(({ skip }) => skip(whyNot !== null, whyNot ?? ''))

  it.each([
    ['a GET', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'],
    ['a POST', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc'],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: h\r\n\r\n'],
  ])('gets its answer: %s', async (_what, text) => {
    const machine: LabMachine = await start()
    const instance = await slow('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    const client = await lab.connect(machine.port)
    const answer = readUntil(client, () => false)
    client.end(text)
    await expect.poll(() => instance.hanging.length).toBe(1)
    instance.hanging[0]?.end('here you are')
    expect(await answer).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\nhere you are$/)
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
  })
})

describe('a client that ends its side', () => {
  let machine: LabMachine
  beforeEach(async () => {
    machine = await lab.machine('a')
  })

  async function asking(text: string, ...targets: LabInstance[]): Promise<Socket> {
    await machine.route(httpRoute({ targets: targets.map(({ active }) => active) }))
    const client = await lab.connect(machine.port)
    client.on('error', () => {}).write(text)
    await expect.poll(() => machine.balancer.inFlight(targets[0]?.name ?? '').work).toBe(1)
    return client
  }

  it('gets its answers to all pipelined requests', async () => {
    const instance = await lab.instance('x', (request, response) => void response.end(request.url))
    await machine.route(httpRoute({ targets: [instance.active] }))
    const client = await lab.connect(machine.port)
    const answers = readUntil(client, () => false)
    client.end(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join(''))
    expect((await answers).match(/\/\d$|\/\d(?=HTTP)/gm)).toEqual(['/1', '/2', '/3'])
  })

  it('still gets its answer after its request is held', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const client = await lab.connect(machine.port)
    const answer = readUntil(client, () => false)
    client.end('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    await expect.poll(() => machine.balancer.counters().held).toBe(1)
    const instance = await lab.instance('x', (_request, response) => void response.end('late'))
    await machine.route(httpRoute({ targets: [instance.active] }))
    expect(await answer).toMatch(/^HTTP\/1.1 200 [^]*late$/)
  })

  it('in the middle of its request is refused, and no instance takes it for a whole request', async () => {
    const instance = await slow('x')
    const client = await asking('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc', instance)
    const answer = readUntil(client, () => false)
    client.end()
    expect(await answer).toMatch(/^HTTP\/1.1 400 /)
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
  })

  it('is gone when it resets the connection: the instance notices', async () => {
    const instance = await slow('x')
    const client = await asking('GET / HTTP/1.1\r\nHost: h\r\n\r\n', instance)
    await expect.poll(() => instance.hanging.length).toBe(1)
    const told = once(instance.hanging[0] ?? instance.server, 'close')
    client.resetAndDestroy()
    await told
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
  })

  it('is gone when a write to it fails', async () => {
    const instance = await slow('x')
    const client = await asking('GET / HTTP/1.1\r\nHost: h\r\n\r\n', instance)
    await expect.poll(() => instance.hanging.length).toBe(1)
    const response = instance.hanging[0]
    const told = once(response ?? instance.server, 'close')
    client.destroy()
    const writing = setInterval(() => response?.write('is anybody there? '), 10)
    await told
    clearInterval(writing)
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
  })

  it('has left an event stream that it was reading', async () => {
    const instance = await slow('x')
    const client = await asking('GET / HTTP/1.1\r\nHost: h\r\n\r\n', instance)
    await expect.poll(() => instance.hanging.length).toBe(1)
    const response = instance.hanging[0]
    response?.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    await readUntil(client, (text) => text.includes('event-stream'))
    const told = once(response ?? instance.server, 'close')
    client.end()
    await told
    await expect.poll(() => machine.balancer.inFlight('x')).toEqual({ work: 0, long: 0 })
  })

  it.each([
    ['while its handshake waits', upgrade],
    ['while its handshake waits, after early bytes', `${upgrade}early`],
  ])('%s, is gone: no work is left, and nothing goes to the next instance', async (_what, text) => {
    const [first, second] = [await silent('x'), await silent('y')]
    const client = await asking(text, first, second)
    await expect.poll(() => first.sockets.size).toBe(1)
    client.end()
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
    await expect.poll(() => first.sockets.size).toBe(0)
    expect([second.connections, machine.balancer.counters().retries]).toEqual([0, 0])
    await machine.route(httpRoute({ targets: [first.draining, second.active] }))
    expect(machine.changes).toEqual([{ type: 'idle', instance: 'x' }]) // at once: the drain has ended
  })

  it('is also gone for the machine that its handshake was forwarded to', async () => {
    const entry = await lab.machine('b')
    const instance = await silent('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    await entry.route(httpRoute({ peers: [machine.peer] }))
    const client = await lab.connect(entry.port)
    client.write(upgrade)
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(1)
    client.end()
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
  })

  it('is gone while its handshake is held', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const client = await lab.connect(machine.port)
    client.write(upgrade)
    await expect.poll(() => machine.balancer.counters().held).toBe(1)
    client.end()
    await expect.poll(() => machine.balancer.counters().held).toBe(0)
  })

  it('is gone for the instance behind another machine when it resets its connection', async () => {
    const entry = await lab.machine('b')
    const instance = await slow('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    await entry.route(httpRoute({ peers: [machine.peer] }))
    const client = await lab.connect(entry.port)
    client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(1)
    client.resetAndDestroy()
    await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
  })
})
