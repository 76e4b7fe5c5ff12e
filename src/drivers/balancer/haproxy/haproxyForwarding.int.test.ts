import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../lib/freePort.ts'
import { ask, type BalancerLab, httpRoute, raw, readAll, readUntil, tcpRoute } from '../balancerLab.ts'
import { eachInALab, type HaproxyLab, LabAuthority, type NamedInstance } from './haproxyLab.ts'

let lab: BalancerLab
let machines: HaproxyLab
eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

/** Sends a request that its instance receives and does not answer. */
async function slowly(port: number, { hanging }: NamedInstance): Promise<{ status: Promise<number> }> {
  const before = hanging.length
  const status = ask(port, { path: '/hang', method: 'POST' }).then(
    ({ status }) => status,
    () => 0,
  )
  await expect.poll(() => hanging.length).toBe(before + 1)
  return { status }
}

describe('forwarding', () => {
  it('refuses clients without a certificate of this cluster and machines that are not admitted, and cuts removed machines', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    expect((await ask(a.port)).body).toBe('x-1 0')
    const knock = (tls: { ca: string; cert: string; key: string } | null): Promise<string> => {
      const files = tls ? { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } : {}
      const socket = connectTls({
        ...files,
        port: b.peer.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['tandem/http/shop'],
      })
      lab.onClose(() => void socket.destroy())
      socket.on('error', () => {})
      socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
      return new Promise((resolve) => {
        let text = ''
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
        socket.once('close', () => resolve(text))
      })
    }
    expect(await knock(machines.authority.firstOf('c'))).toContain('x-1 0')
    expect(await knock(null)).toBe('')
    expect(await knock(new LabAuthority(machines.folder, 'other').machine('a'))).toBe('')
    expect(await raw(lab, b.peer.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toBe('')
    await b.balancer.admit(['a', 'b'])
    expect(await knock(machines.authority.firstOf('c'))).toBe('')
    const slow = await slowly(a.port, x)
    await b.balancer.admit(['b'])
    expect(await slow.status).not.toBe(200)
    expect((await ask(a.port)).status).toBeGreaterThanOrEqual(502)
    await b.balancer.admit(['a'])
    await expect.poll(async () => (await ask(a.port)).status).toBe(200)
  })

  it('is refused to a machine that is no longer admitted, even if the agent was killed after it wrote that to disk or sent it to HAProxy', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    await b.balancer.admit(['a', 'b'])
    const list = join(machines.folderOf('b'), 'machines.lst')
    writeFileSync(list, '^b$\n')
    await b.balancer.admit(['b'])
    expect((await ask(a.port)).status).toBeGreaterThanOrEqual(502)

    await b.balancer.admit(['a', 'b'])
    await expect.poll(async () => (await ask(a.port)).status).toBe(200)
    const slow = await slowly(a.port, x)
    const worker = await machines.workerOf('b')
    await machines.masterOf('b').tell(worker ?? 0, [`del acl ${list} ^a$`])
    writeFileSync(list, '^b$\n')
    await b.balancer.admit(['b'])
    expect(await slow.status).not.toBe(200)
  })

  it('is cut in an old worker too, for a machine that is no longer admitted; connections of others continue', async () => {
    const [a, b, c] = await Promise.all([machines.machine('a'), machines.machine('b'), machines.machine('c')])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    await c.route(httpRoute({ peers: [b.peer] }))
    await b.balancer.admit(['a', 'c'])
    const fromA = await slowly(a.port, x)
    const fromC = await slowly(c.port, x)
    await b.route(httpRoute({ targets: [x.active] }), httpRoute({ path: '/more' }))
    await b.balancer.admit(['c'])
    expect(await fromA.status).not.toBe(200)
    x.hanging[1]?.end('slow')
    expect(await fromC.status).toBe(200)
  })

  it('continues to a machine known by name while its name cannot be resolved, and delays nothing else', async () => {
    let hangs = false
    const lookup = (host: string): Promise<{ address: string }> =>
      hangs ? new Promise(() => {}) : Promise.resolve({ address: host === 'b.test' ? '127.0.0.1' : '127.0.0.2' })
    const [a, b] = await Promise.all([
      machines.machine('a', { lookup, limits: { lookupMs: 500 } }),
      machines.machine('b'),
    ])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    const named = httpRoute({ peers: [{ ...b.peer, host: 'b.test' }] })
    expect(await a.route(named)).toEqual([])
    expect((await ask(a.port)).body).toBe('x-1 0')
    hangs = true
    const done: string[] = []
    const routed = a.route(named, httpRoute({ path: '/more' })).then((unserved) => {
      done.push('routed')
      return unserved
    })
    await a.balancer.admit(null)
    expect(done).toEqual([])
    expect(await routed).toEqual([])
    expect((await ask(a.port)).body).toBe('x-1 0')
  })

  it('tries the next machine when one has no instance, with whole bodies, and never in a circle', async () => {
    const [a, b, c] = await Promise.all([machines.machine('a'), machines.machine('b'), machines.machine('c')])
    const x = await machines.instance('x-1')
    await c.route(httpRoute({ targets: [x.active], peers: [a.peer, b.peer] }))
    await b.route(httpRoute({ peers: [a.peer, c.peer] }))
    await a.route(httpRoute({ peers: [b.peer, c.peer] }))
    for (let i = 0; i < 6; i += 1) {
      const answer = await ask(a.port, { method: 'POST', body: Buffer.alloc(3_000_000) })
      expect([answer.status, answer.body]).toEqual([200, 'x-1 3000000'])
    }
    await c.route(httpRoute({ peers: [a.peer, b.peer] }))
    const answer = await ask(a.port)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.headers).not.toHaveProperty('tandem-unprocessed')
  })

  it('carries TCP both ways, half-closed too, counted where the instance is', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const t = await lab.tcpInstance('t-1', (socket) => {
      readAll(socket).then(
        (all) => socket.end(`${all.length} bytes`),
        () => {}, // the connection was cut
      )
    })
    const [portA, portB] = [await freePort(), await freePort()]
    await b.route(tcpRoute({ port: portB, name: 5672, targets: [t.active] }))
    await a.route(tcpRoute({ port: portA, name: 5672, peers: [b.peer] }))
    const socket = await lab.connect(portA)
    socket.write('x')
    await expect.poll(() => b.balancer.inFlight('t-1')).toEqual({ work: 1, long: 1 })
    socket.end(Buffer.alloc(1_000_000))
    expect(await readUntil(socket, () => false)).toBe('1000001 bytes')
    await b.route(tcpRoute({ port: portB, name: 5672, targets: [] }))
    expect(await readUntil(await lab.connect(portA), () => false)).toBe('')
  })
})
