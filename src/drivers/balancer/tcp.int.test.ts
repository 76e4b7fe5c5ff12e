import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../lib/freePort.ts'
import type { Unserved } from './balancer.ts'
import {
  BalancerLab,
  echo,
  httpRoute,
  readAll,
  readUntil,
  say,
  tcpRoute,
  type LabInstance,
  type LabMachine,
} from './balancerLab.ts'

let lab: BalancerLab
let a: LabMachine
let b: LabMachine
const name = 5672

beforeEach(async () => {
  lab = new BalancerLab()
  ;[a, b] = await Promise.all([lab.machine('a'), lab.machine('b')])
})
afterEach(() => lab.close())

/** An instance on `a`; clients connect to `a` or, forwarded, to `b`. */
async function ways(
  onConnection: (socket: Socket) => void,
  idleMs: number | null = null,
): Promise<{
  instance: LabInstance
  ports: { local: number; forwarded: number }
}> {
  const instance = await lab.tcpInstance('x', onConnection)
  const ports = { local: await freePort(), forwarded: await freePort() }
  await a.route(tcpRoute({ port: ports.local, name, targets: [instance.active], idleMs }))
  await b.route(tcpRoute({ port: ports.forwarded, name, peers: [a.peer] }))
  return { instance, ports }
}

describe.each(['local', 'forwarded'] as const)('TCP: %s', (way) => {
  it('carries bytes both ways and counts the connection at the instance', async () => {
    const { ports } = await ways(echo)
    const socket = await lab.connect(ports[way])
    expect(await say(socket, 'hello')).toBe('hello')
    expect(a.balancer.inFlight('x')).toEqual({ work: 1, long: 1 })
    expect(b.balancer.inFlight('x').work).toBe(0)
    expect(a.balancer.counters().requests).toEqual([{ service: 'queue', statusClass: 'tcp', count: 1 }])
    socket.destroy()
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })

  it('lets the instance send first', async () => {
    const { ports } = await ways((socket) => void socket.end('220 hello'))
    expect(await readUntil(await lab.connect(ports[way]), () => false)).toBe('220 hello')
  })

  it('keeps a half-closed connection: everything sent is answered after the end of the question', async () => {
    const { ports } = await ways((socket) => {
      void readAll(socket).then((all) => socket.end(`${all.length} bytes`))
    })
    const socket = await lab.connect(ports[way])
    socket.end(Buffer.alloc(3_000_000))
    expect(await readUntil(socket, () => false)).toBe('3000000 bytes')
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })

  it('keeps the other half-closed direction too: the instance may end first', async () => {
    const received = Promise.withResolvers<string>()
    const { ports } = await ways((socket) => {
      socket.end('bye')
      void readAll(socket).then((all) => received.resolve(all.toString()))
    })
    const socket = await lab.connect(ports[way])
    expect(await readUntil(socket, () => false)).toBe('bye')
    socket.end('and one more thing')
    expect(await received.promise).toBe('and one more thing')
  })

  it('passes a reset on', async () => {
    const { ports } = await ways((socket) => {
      socket.once('data', () => socket.resetAndDestroy())
    })
    const socket = await lab.connect(ports[way])
    socket.write('x')
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })

  it('follows the pace of the reader', async () => {
    let written = 0
    const { ports } = await ways((socket) => {
      socket.on('error', () => {})
      const piece = Buffer.alloc(256 * 1024)
      const more = (): void => {
        while (written < 256 * 1024 * 1024) {
          written += piece.length
          if (!socket.write(piece)) return void socket.once('drain', more)
        }
      }
      more()
    })
    const socket = await lab.connect(ports[way])
    socket.pause()
    let last = -1
    await expect.poll(() => [written === last, (last = written)][0], { interval: 100 }).toBe(true)
    expect(written).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('TCP routes', () => {
  it('open and close their ports with the plan; connections stay', async () => {
    const { instance, ports } = await ways(echo)
    const socket = await lab.connect(ports.local)
    await say(socket, 'in')
    await a.route(httpRoute({ targets: [{ ...instance.draining }] }))
    await expect(lab.connect(ports.local)).rejects.toThrow('ECONNREFUSED')
    expect(await say(socket, 'still')).toBe('still')
    socket.destroy()
    await a.told('idle', 'x')
  })

  it('report the port in use, and serve the rest', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    lab.onClose(() => void taken.close())
    await once(taken, 'listening')
    const port = (taken.address() as AddressInfo).port // it listens on TCP
    const instance = await lab.tcpInstance('x', echo)
    const other = await freePort()
    const plan = (): Promise<Unserved[]> =>
      a.route(
        tcpRoute({ port, name: 1, targets: [instance.active] }),
        tcpRoute({ port: other, name: 2, targets: [instance.active] }),
      )
    const reason = expect.stringContaining(`cannot listen on TCP port ${port}`)
    expect(await plan()).toEqual([{ service: 'queue', reason }])
    expect(await say(await lab.connect(other), 'x')).toBe('x')
    await new Promise((resolve) => taken.close(resolve))
    expect(await plan()).toEqual([])
    expect(await say(await lab.connect(port), 'y')).toBe('y')
  })

  it('leave silent connections alone, unless the route has a limit', async () => {
    const quick = await ways(echo)
    const silent = await lab.connect(quick.ports.forwarded)
    await say(silent, 'x')
    const limited = await ways(echo, 100)
    const cut = await lab.connect(limited.ports.local)
    await say(cut, 'x')
    await readUntil(cut, () => false)
    expect(await say(silent, 'still')).toBe('still')
    await expect.poll(() => a.balancer.inFlight('x').work).toBeLessThan(2)
  })

  it('go to the next instance or peer when one is dead, and are reset when there is none', async () => {
    const { instance, ports } = await ways(echo)
    const other = await lab.tcpInstance('y', echo)
    await a.route(tcpRoute({ port: ports.local, name, targets: [instance.active, other.active] }))
    await instance.kill()
    for (let i = 0; i < 3; i += 1) expect(await say(await lab.connect(ports.local), 'hi')).toBe('hi')
    await a.route(tcpRoute({ port: ports.local, name }))
    const refused = await lab.connect(ports.forwarded)
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    expect([a.refused('no-instance'), b.refused('no-instance')]).toEqual([1, 1])
  })

  it('hold a connection while the plan requires it, with the bytes that the client has sent already', async () => {
    const instance = await lab.tcpInstance('x', echo)
    const port = await freePort()
    await a.route(tcpRoute({ port, name, holdMs: 30_000 }))
    const socket = await lab.connect(port)
    socket.write('early')
    await expect.poll(() => a.balancer.counters().held).toBe(1)
    const answer = readUntil(socket, (text) => text.length === 5)
    await a.route(tcpRoute({ port, name, targets: [instance.active], holdMs: 30_000 }))
    expect(await answer).toBe('early')
  })

  it('cut the remaining connections', async () => {
    const { ports } = await ways(echo)
    const sockets = await Promise.all([lab.connect(ports.local), lab.connect(ports.forwarded)])
    for (const socket of sockets) await say(socket, 'x')
    a.balancer.cut('x')
    for (const socket of sockets)
      await readUntil(
        socket.on('error', () => {}),
        () => false,
      ).catch(() => {})
    await expect.poll(() => a.balancer.inFlight('x').work).toBe(0)
  })
})
