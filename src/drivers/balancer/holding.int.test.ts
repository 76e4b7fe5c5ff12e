import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ask, BalancerLab, httpRoute, raw, type LabMachine } from './balancerLab.ts'

let lab: BalancerLab
let machine: LabMachine

beforeEach(async () => {
  lab = new BalancerLab()
  machine = await lab.machine('a', { held: 3 })
})
afterEach(() => lab.close())

const serve: RequestListener = (request, response) => void request.pipe(response)
/** The longest time that a test waits for an event that should come much earlier. */
function afterMs(ms: number): Promise<null> {
  return new Promise((resolve) => void setTimeout(() => resolve(null), ms).unref())
}

const held = (): number => machine.balancer.counters().held

describe('holding', () => {
  it('keeps requests until a plan has an instance, over plans that have none; bodies arrive whole', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const body = Buffer.alloc(2_000_000, 'hold')
    const answers = Promise.all([ask(machine.port), ask(machine.port, { method: 'POST', body })])
    await expect.poll(held).toBe(2)
    await machine.route(httpRoute({ holdMs: 30_000 }))
    expect(held()).toBe(2)
    const instance = await lab.instance('x', serve)
    await machine.route(httpRoute({ holdMs: 30_000, targets: [instance.active] }))
    const [got, posted] = await answers
    expect([got.status, posted.status, posted.body.length]).toEqual([200, 200, body.length])
    expect(held()).toBe(0)
  })

  it('lasts at most holdMs, counted over all plans, then 503', async () => {
    await machine.route(httpRoute({ holdMs: 300 }))
    const began = performance.now()
    const answer = ask(machine.port)
    await expect.poll(held).toBe(1)
    const state = { waiting: true }
    const planning = (async () => {
      while (state.waiting) {
        await machine.route(httpRoute({ holdMs: 300 }))
        await new Promise((resolve) => setTimeout(resolve, 20)) // plan after plan, none with an instance
      }
    })()
    expect((await Promise.race([answer, afterMs(5_000)]))?.body).toContain('held for 300 ms')
    state.waiting = false
    await planning
    expect(performance.now() - began).toBeGreaterThan(290)
    expect(held()).toBe(0)
  })

  it('is not done if the route does not request it', async () => {
    await machine.route(httpRoute({ holdMs: null }))
    expect((await ask(machine.port)).status).toBe(503)
  })

  it('is limited: one request more than allowed gets 503 at once, and is counted', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const answers = [ask(machine.port), ask(machine.port), ask(machine.port)]
    await expect.poll(held).toBe(3)
    const extra = await ask(machine.port)
    expect([extra.status, machine.refused('held')]).toEqual([503, 1])
    expect(extra.body).toContain('as many requests as allowed')
    const instance = await lab.instance('x', serve)
    await machine.route(httpRoute({ targets: [instance.active] }))
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it('drops clients that disconnect', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const socket = await lab.connect(machine.port)
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    await expect.poll(held).toBe(1)
    socket.resetAndDestroy()
    await expect.poll(held).toBe(0)
  })

  it('ends with 404 when the plan drops the route', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const answer = ask(machine.port)
    await expect.poll(held).toBe(1)
    await machine.route()
    expect((await answer).status).toBe(404)
  })

  it('also holds WebSockets', async () => {
    await machine.route(httpRoute({ holdMs: 30_000 }))
    const socket = new WebSocket(`ws://127.0.0.1:${machine.port}/`)
    lab.onClose(() => socket.terminate())
    const declined = new Promise((resolve) => socket.once('error', resolve))
    await expect.poll(held).toBe(1)
    const instance = await lab.instance('x', (_request, response) => void response.writeHead(418).end())
    await machine.route(httpRoute({ targets: [instance.active] }))
    expect(String(await declined)).toContain('418') // the answer of the instance
  })

  it('also covers an instance that the plan names but that does not run, and ends when the instance runs', async () => {
    const instance = await lab.instance('x', serve)
    const port = instance.port
    await machine.route(httpRoute({ holdMs: 30_000, targets: [instance.active] }))
    await instance.kill()
    const answer = ask(machine.port)
    await expect.poll(held).toBe(1)
    await lab.instance('x', serve, port)
    expect((await answer).status).toBe(200)
  })

  it('is not done for forwarded work: the entry holds it', async () => {
    const b = await lab.machine('b')
    await b.route(httpRoute({ holdMs: 30_000 }))
    const head = 'GET / HTTP/1.1\r\nHost: h\r\nTandem-Forwarded: a\r\nConnection: close\r\n\r\n'
    expect(await raw(lab, b.balancer.ports.forward, head)).toMatch(/^HTTP\/1.1 503 /)
    await machine.route(httpRoute({ holdMs: 30_000, peers: [b.peer] }))
    const answer = ask(machine.port)
    await expect.poll(held).toBe(1)
    expect(b.balancer.counters().held).toBe(0)
    const instance = await lab.instance('x', serve)
    await b.route(httpRoute({ targets: [instance.active] }))
    await machine.route(httpRoute({ holdMs: 30_000, peers: [b.peer] }))
    expect((await answer).status).toBe(200)
  })
})
