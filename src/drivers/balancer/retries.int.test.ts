import { once } from 'node:events'
import { request, type IncomingMessage, type RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, BalancerLab, httpRoute, raw, readUntil, type LabInstance, type LabMachine } from './balancerLab.ts'

let lab: BalancerLab
let machine: LabMachine

beforeEach(async () => {
  lab = new BalancerLab()
  machine = await lab.machine('a')
})
afterEach(() => lab.close())

const serve: RequestListener = (_request, response) => void response.end('served')

/** `bad` treats its requests as defined; `good` serves. */
async function pair(bad: RequestListener): Promise<{ bad: LabInstance; good: LabInstance }> {
  const instances = { bad: await lab.instance('bad', bad), good: await lab.instance('good', serve) }
  await machine.route(httpRoute({ targets: [instances.bad.active, instances.good.active] }))
  return instances
}

/** Sends `count` requests one after another; returns the statuses. */
async function statuses(count: number, about: Parameters<typeof ask>[1]): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i += 1) found.push((await ask(machine.port, about)).status)
  return found
}

describe('choosing', () => {
  it('takes turns among equals, and the least loaded first', async () => {
    const open: (() => void)[] = []
    const seen: Record<string, number> = { x: 0, y: 0, z: 0 }
    const count =
      (name: string): RequestListener =>
      (request, response) => {
        seen[name] = (seen[name] ?? 0) + 1
        if (request.url === '/hang') open.push(() => response.end())
        else response.end()
      }
    const instances = await Promise.all(['x', 'y', 'z'].map((name) => lab.instance(name, count(name))))
    await machine.route(httpRoute({ targets: instances.map(({ active }) => active) }))
    await statuses(9, {})
    expect(seen).toEqual({ x: 3, y: 3, z: 3 })
    const hanging = [ask(machine.port, { path: '/hang' }), ask(machine.port, { path: '/hang' })]
    await expect.poll(() => open.length).toBe(2)
    await statuses(4, {})
    expect(Object.values(seen).toSorted((a, b) => a - b)).toEqual([4, 4, 7])
    for (const end of open) end()
    await Promise.all(hanging)
  })
})

describe('a request that could not be delivered', () => {
  it.each([
    ['GET', undefined],
    ['HEAD', undefined],
    ['OPTIONS', undefined],
    ['PUT', 'small body'],
    ['DELETE', undefined],
    ['GET', 'x'.repeat(64 * 1024)],
  ])('is sent again when that is harmless: %s', async (method, body) => {
    let broken = 0
    await pair((request) => {
      broken += 1
      request.resume().on('end', () => request.socket.destroy())
    })
    expect(await statuses(4, { method, body })).toEqual([200, 200, 200, 200])
    expect(broken).toBeGreaterThan(0)
    expect(machine.balancer.counters().retries).toBe(broken)
  })

  it.each([
    ['POST', undefined, {}],
    ['POST', 'x', {}],
    ['PATCH', 'x', {}],
    ['PUT', 'x', { 'if-match': '"v1"' }],
    ['PUT', 'x'.repeat(600 * 1024), {}],
  ])('is not sent twice when that might do harm: %s', async (method, body, headers) => {
    let broken = 0
    const { good } = await pair((request) => {
      broken += 1
      request.resume().on('end', () => request.socket.destroy())
    })
    let served = 0
    good.server.on('request', () => (served += 1))
    const found = await statuses(4, { method, body, headers })
    expect(broken).toBeGreaterThan(0)
    expect(found.filter((status) => status === 502)).toHaveLength(broken)
    expect(served).toBe(4 - broken)
    expect(machine.balancer.counters().retries).toBe(0)
  })

  it('is not sent twice once a byte of an answer has come', async () => {
    let broken = 0
    await pair((request) => {
      broken += 1
      request.socket.write('HTTP/1.1 200 O')
      request.socket.end()
    })
    expect((await statuses(2, {})).toSorted((a, b) => a - b)).toEqual([200, 502])
    expect(broken).toBe(1)
  })

  it('is sent elsewhere, whatever its method, when the connection ended before any byte was written', async () => {
    const { bad } = await pair(serve)
    const sent = request({ port: machine.port, method: 'POST', headers: { 'content-length': 2 }, agent: false })
    sent.flushHeaders() // a connection exists, but there is no body to write yet
    await expect.poll(() => machine.balancer.inFlight('bad').work + machine.balancer.inFlight('good').work).toBe(1)
    await expect.poll(() => bad.sockets.size).toBe(1)
    await bad.kill()
    await expect.poll(() => machine.balancer.inFlight('good').work).toBe(1)
    sent.end('ok')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    answer.resume()
  })

  it('never looks complete when the answer breaks off', async () => {
    const instance = await lab.instance('x', (request, response) => {
      response.write('half')
      setImmediate(() => request.socket.resetAndDestroy())
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    await expect(ask(machine.port)).rejects.toThrow('aborted')
    expect(machine.balancer.inFlight('x').work).toBe(0)
  })

  it('is sent elsewhere, whatever its method, when the connection is refused: nothing was sent', async () => {
    const { bad } = await pair(serve)
    await bad.kill()
    expect(await statuses(6, { method: 'POST', body: 'x'.repeat(600 * 1024) })).toEqual([200, 200, 200, 200, 200, 200])
    expect(machine.balancer.counters().retries).toBe(1) // then the instance is out of traffic
  })

  it('survives kept-alive connections that end silently, with one instance only', async () => {
    let answers = 0
    const instance = await lab.instance('x', (request, response) => {
      answers += 1
      if (answers % 2 === 0) return void request.socket.destroy()
      response.end('served')
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    expect(await statuses(6, {})).toEqual([200, 200, 200, 200, 200, 200])
  })

  it('does not use a connection that was unused for long, nor one that the server is about to close', async () => {
    const quick = await lab.machine('q', { upstreamIdleMs: 50 })
    const instance = await lab.instance('x', serve)
    await quick.route(httpRoute({ targets: [instance.active] }))
    await ask(quick.port)
    await once([...instance.sockets][0] ?? instance.server, 'close')
    expect((await ask(quick.port, { method: 'POST', body: 'x' })).status).toBe(200)
    instance.server.removeAllListeners('request')
    instance.server.on('request', (_request, response) => response.setHeader('keep-alive', 'timeout=1').end('x'))
    const before = instance.connections
    const hinting = await lab.machine('h')
    await hinting.route(httpRoute({ targets: [instance.active] }))
    await ask(hinting.port)
    await ask(hinting.port)
    expect(instance.connections).toBe(before + 2) // one second is within the margin: the connection is never used again
  })
})

describe('a request that kills every instance it reaches', () => {
  /** Instances that end the connection of any request they receive. */
  function crashing(...names: string[]): Promise<LabInstance[]> {
    return Promise.all(
      names.map((name) =>
        lab.instance(name, (request) => void request.resume().on('end', () => request.socket.destroy())),
      ),
    )
  }
  const requests = (instances: LabInstance[]): { count: number } => {
    const seen = { count: 0 }
    for (const { server } of instances) server.on('request', () => (seen.count += 1))
    return seen
  }

  it.each([1, 2, 5])('is sent again only once, with %i instances', async (count) => {
    const instances = await crashing(...['v', 'w', 'x', 'y', 'z'].slice(0, count))
    const seen = requests(instances)
    await machine.route(httpRoute({ targets: instances.map(({ active }) => active) }))
    const answer = await ask(machine.port)
    expect([answer.status, seen.count]).toEqual([502, 2])
    expect(answer.body).toContain('sent to both')
    expect(machine.balancer.counters().retries).toBe(1)
  })

  it('is sent to two instances in total, through other machines too', async () => {
    const instances = await crashing('v', 'w', 'x', 'y', 'z')
    const seen = requests(instances)
    const peers = await Promise.all(['b', 'c', 'd'].map((name) => lab.machine(name)))
    for (const [index, peer] of peers.entries()) {
      const own = instances.slice(index + 1, index + 2).map(({ active }) => active)
      await peer.route(httpRoute({ targets: own }))
    }
    const route = (...targets: LabInstance[]): Promise<unknown> =>
      machine.route(httpRoute({ targets: targets.map(({ active }) => active), peers: peers.map(({ peer }) => peer) }))
    await route() // from the entry to other machines only
    expect([(await ask(machine.port)).status, seen.count]).toEqual([502, 2])
    const [local] = instances
    if (local) await route(local) // first here, then at another machine
    expect([(await ask(machine.port)).status, seen.count]).toEqual([502, 4])
    expect(machine.changes).toEqual([])
  })

  it('is sent once if its method may not be sent twice; so is a handshake', async () => {
    const instances = await crashing('x', 'y')
    let upgrades = 0
    for (const { server } of instances) {
      server.on('upgrade', (_request, socket) => {
        upgrades += 1
        socket.destroy()
      })
    }
    await machine.route(httpRoute({ targets: instances.map(({ active }) => active) }))
    const handshake = (method: string): Promise<string> =>
      raw(lab, machine.port, `${method} / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: made-up\r\n\r\n`)
    expect(await handshake('POST')).toMatch(/^HTTP\/1.1 502 [^]*not sent again/)
    expect(upgrades).toBe(1)
    expect(await handshake('GET')).toMatch(/^HTTP\/1.1 502 [^]*sent to both/)
    expect(upgrades).toBe(3)
  })

  it('still skips all instances that refuse the connection', async () => {
    const [refusing, [crash], good] = [
      await crashing('u', 'v', 'w', 'y'),
      await crashing('x'),
      await lab.instance('z', serve),
    ]
    const targets = [...refusing, ...(crash ? [crash] : []), good].map(({ active }) => active)
    for (const instance of refusing) await instance.kill()
    await machine.route(httpRoute({ targets }))
    expect((await ask(machine.port)).status).toBe(200)
    expect(machine.balancer.counters().retries).toBe(refusing.length + 1)
  })
})

describe('an instance that answers before it has read the body, and closes', () => {
  const answer = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 11\r\nConnection: close\r\n\r\nwho are you'
  it.each([
    ['a length', answer],
    ['no length', answer.replace('Content-Length: 11\r\n', '')],
  ])('is passed on: an answer with %s', async (_what, text) => {
    const instance = await lab.tcpInstance('x', (socket) => {
      // A connection that is closed with unread bytes ends in a reset.
      socket.on('error', () => {}).once('data', () => socket.pause().write(text, () => socket.destroy()))
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    for (const bytes of [200_000, 20_000_000]) {
      const client = await lab.connect(machine.port)
      client.on('error', () => {})
      client.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n\r\n`)
      client.write(Buffer.alloc(bytes))
      expect(await readUntil(client, (got) => got.includes('who are you'))).toMatch(/^HTTP\/1.1 401 /)
      await expect.poll(() => machine.balancer.inFlight('x').work).toBe(0)
    }
    expect(machine.balancer.counters().retries).toBe(0)
  })

  it('but one that closes without an answer causes a 502', async () => {
    const instance = await lab.tcpInstance('x', (socket) => {
      socket.on('error', () => {}).once('data', () => socket.pause().destroy())
    })
    await machine.route(httpRoute({ targets: [instance.active] }))
    expect((await ask(machine.port, { method: 'POST', body: 'x'.repeat(5_000_000) })).status).toBe(502)
  })
})

describe('a dead instance', () => {
  it('is out of traffic until a connection succeeds again, and both changes are reported', async () => {
    const { bad } = await pair(serve)
    const port = bad.port
    await bad.kill()
    await statuses(3, {})
    expect(machine.changes).toEqual([
      { type: 'ejected', instance: 'bad', reason: expect.stringContaining('ECONNREFUSED') },
    ])
    const again = await lab.instance('bad', serve, port)
    await machine.told('restored', 'bad')
    await statuses(4, {})
    // One connection was the check.
    expect(again.connections).toBeGreaterThan(1)
  })

  it('is tried anyway when there is no other instance', async () => {
    const instance = await lab.instance('x', serve)
    const port = instance.port
    const slow = await lab.machine('slow', { ejectedMs: 60_000 })
    await slow.route(httpRoute({ targets: [instance.active] }))
    await instance.kill()
    const answer = await ask(slow.port)
    expect(answer.status).toBe(503)
    await lab.instance('x', serve, port)
    expect((await ask(slow.port)).status).toBe(200)
  })

  it('comes back at once with a plan that removes it and adds it again', async () => {
    const instance = await lab.instance('x', serve)
    const slow = await lab.machine('slow', { ejectedMs: 60_000 })
    await slow.route(httpRoute({ targets: [instance.active] }))
    const port = instance.port
    await instance.kill()
    await ask(slow.port)
    const again = await lab.instance('x', serve, port)
    await slow.route(httpRoute({ targets: [again.draining] }))
    await slow.route(httpRoute({ targets: [again.active] }))
    expect((await ask(slow.port)).status).toBe(200)
  })
})
