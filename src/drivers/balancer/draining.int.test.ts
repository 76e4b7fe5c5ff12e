import { once } from 'node:events'
import { request, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ask,
  BalancerLab,
  httpRoute,
  readAll,
  readUntil,
  type Answer,
  type LabInstance,
  type LabMachine,
} from './balancerLab.ts'

let lab: BalancerLab
let machine: LabMachine

beforeEach(async () => {
  lab = new BalancerLab()
  machine = await lab.machine('a')
})
afterEach(() => lab.close())

type Named = LabInstance & { hanging: ServerResponse[] }

/** Answers `/hang` on request, anything else at once, with its name. */
async function instanceNamed(name: string): Promise<Named> {
  const hanging: ServerResponse[] = []
  const listener: RequestListener = (asked, response) => {
    if (asked.url === '/hang') hanging.push(response)
    else response.end(name)
  }
  return Object.assign(await lab.instance(name, listener), { hanging })
}

describe('a plan', () => {
  it('takes effect in one step: no new work reaches a target that it does not name as active, not even on the same connection', async () => {
    const [old, next] = [await instanceNamed('old'), await instanceNamed('next')]
    const agent = lab.agent()
    await machine.route(httpRoute({ targets: [old.active] }))
    expect((await ask(machine.port, { agent })).body).toBe('old')
    const slow = ask(machine.port, { path: '/hang' })
    await expect.poll(() => old.hanging.length).toBe(1)
    await machine.route(httpRoute({ targets: [next.active, old.draining] }))
    for (let i = 0; i < 20; i += 1) expect((await ask(machine.port, { agent })).body).toBe('next')
    expect(machine.changes).toEqual([])
    old.hanging[0]?.end('finished')
    expect((await slow).body).toBe('finished')
    await machine.told('idle', 'old')
  })

  it('that failed for one port does not stop later plans, and they apply in order', async () => {
    const [x, y] = [await instanceNamed('x'), await instanceNamed('y')]
    const plans = [machine.route(httpRoute({ targets: [x.active] })), machine.route(httpRoute({ targets: [y.active] }))]
    await Promise.all(plans)
    expect((await ask(machine.port)).body).toBe('y')
  })
})

describe('release', () => {
  it('closes unused connections, lets used ones finish, and only then resolves', async () => {
    const instance = await instanceNamed('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    const slow = ask(machine.port, { path: '/hang' })
    await Promise.all([slow, ask(machine.port), ask(machine.port)].slice(1))
    await expect.poll(() => instance.hanging.length).toBe(1)
    expect(instance.sockets.size).toBeGreaterThan(1)
    await machine.route(httpRoute({ targets: [instance.draining] }))
    await machine.balancer.release('x')
    await expect.poll(() => instance.sockets.size).toBe(1)
    instance.hanging[0]?.end('finished')
    expect((await slow).body).toBe('finished')
    await machine.told('idle', 'x')
    await expect.poll(() => instance.sockets.size).toBe(0)
  })

  it('does not keep an instance from coming back', async () => {
    const instance = await instanceNamed('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    await ask(machine.port)
    await machine.route(httpRoute({ targets: [instance.draining] }))
    await machine.balancer.release('x')
    await machine.route(httpRoute({ targets: [instance.active] }))
    expect((await ask(machine.port)).body).toBe('x')
  })
})

describe('the drain deadline', () => {
  /** Requests that `old` has received, and the plan that sends new work only to `next`. */
  async function overdue(...methods: string[]): Promise<{ answers: Promise<Answer>[]; next: Named; old: Named }> {
    const [old, next] = [await instanceNamed('old'), await instanceNamed('next')]
    await machine.route(httpRoute({ targets: [old.active] }))
    const answers = methods.map((method) => ask(machine.port, { path: '/hang', method }))
    await expect.poll(() => old.hanging.length).toBe(methods.length)
    await machine.route(httpRoute({ targets: [next.active, old.draining] }))
    return { answers, next, old }
  }

  it.each([
    ['when they are cut', () => machine.balancer.cut('old')],
    ['when the stopped instance ends', (old: Named) => void old.kill()],
  ])(
    'ends the remaining work with 502 and the reason, and sends no request again, whatever its method: %s',
    async (_when, end) => {
      const methods = ['GET', 'DELETE', 'PUT', 'POST', 'OPTIONS', 'HEAD']
      const { answers, next, old } = await overdue(...methods)
      await machine.balancer.release('old') // as before the stop of an instance
      end(old)
      await machine.told('idle', 'old')
      for (const [index, answer] of (await Promise.all(answers)).entries()) {
        expect([methods[index], answer.status]).toEqual([methods[index], 502])
        if (methods[index] !== 'HEAD') expect(answer.body).toMatch(/rollout\.drain[^]*not sent again/)
      }
      expect([next.connections, machine.balancer.counters().retries]).toEqual([0, 0])
    },
  )

  it('retries a request elsewhere if no part of it has reached the instance', async () => {
    const [old, next] = [await instanceNamed('old'), await instanceNamed('next')]
    await machine.route(httpRoute({ targets: [old.active] }))
    const sent = request({ port: machine.port, method: 'POST', headers: { 'content-length': 2 }, agent: false })
    sent.flushHeaders() // there is no body to write yet
    await expect.poll(() => machine.balancer.inFlight('old').work).toBe(1)
    await machine.route(httpRoute({ targets: [next.active, old.draining] }))
    await machine.balancer.release('old')
    machine.balancer.cut('old')
    await expect.poll(() => machine.balancer.inFlight('next').work).toBe(1)
    sent.end('ok')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect((await readAll(answer)).toString()).toBe('next')
  })

  it('sends a request again that an instance loses before the deadline, while it drains', async () => {
    const { answers, next, old } = await overdue('DELETE')
    await old.kill()
    await expect.poll(() => next.hanging.length).toBe(1)
    next.hanging[0]?.end('served by next')
    expect((await answers[0])?.body).toBe('served by next')
  })

  it('also ends a waiting handshake with the same page', async () => {
    const hanging = await lab.tcpInstance('old', (socket) => void socket.on('error', () => {}).resume())
    const next = await instanceNamed('next')
    await machine.route(httpRoute({ targets: [hanging.active] }))
    const client = await lab.connect(machine.port)
    client.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await expect.poll(() => hanging.sockets.size).toBe(1)
    await machine.route(httpRoute({ targets: [next.active, hanging.draining] }))
    await machine.balancer.release('old')
    machine.balancer.cut('old')
    expect(await readUntil(client, () => false)).toMatch(/^HTTP\/1.1 502 [^]*rollout\.drain/)
    expect(next.connections).toBe(0)
  })
})

describe('close', () => {
  it('gives work under way some time, ends the rest, and frees the ports', async () => {
    const instance = await instanceNamed('x')
    await machine.route(
      httpRoute({ targets: [instance.active], holdMs: 30_000 }),
      httpRoute({ path: '/hold', holdMs: 30_000 }),
    )
    const outcome = (path: string): Promise<string> => ask(machine.port, { path }).then(({ body }) => body, String)
    const unused = await lab.connect(machine.port)
    const ended = readUntil(unused, () => false)
    const finishing = outcome('/hang')
    await expect.poll(() => instance.hanging.length).toBe(1)
    const [stuck, held] = [outcome('/hang'), outcome('/hold')]
    await expect.poll(() => [instance.hanging.length, machine.balancer.counters().held]).toEqual([2, 1])
    const began = performance.now()
    const closed = machine.balancer.close()
    expect(await held).toContain('503')
    instance.hanging[0]?.end('made it')
    expect(await finishing).toBe('made it')
    await closed
    expect(performance.now() - began).toBeLessThan(20_000) // not the 30 s for which it holds
    expect(await stuck).toContain('hang up')
    expect(await ended).toBe('')
    await expect(lab.connect(machine.port)).rejects.toThrow('ECONNREFUSED')
    await expect.poll(() => instance.sockets.size).toBe(0)
  })
})
