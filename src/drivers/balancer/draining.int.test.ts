import type { RequestListener, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, BalancerLab, httpRoute, readUntil, type LabInstance, type LabMachine } from './balancerLab.ts'

let lab: BalancerLab
let machine: LabMachine

beforeEach(async () => {
  lab = new BalancerLab()
  machine = await lab.machine('a')
})
afterEach(() => lab.close())

/** Answers `/hang` when told to, anything else at once, with its name. */
async function instanceNamed(name: string): Promise<LabInstance & { hanging: ServerResponse[] }> {
  const hanging: ServerResponse[] = []
  const listener: RequestListener = (request, response) => {
    if (request.url === '/hang') hanging.push(response)
    else response.end(name)
  }
  return Object.assign(await lab.instance(name, listener), { hanging })
}

describe('a plan', () => {
  it('takes effect in one step: nothing new reaches what it does not name as active, on the same connection either', async () => {
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

  it('that failed for one port does not stop later ones, and they come in order', async () => {
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

describe('cut', () => {
  it('ends what remains: repeatable requests go elsewhere, others hear of it', async () => {
    const [old, next] = [await instanceNamed('old'), await instanceNamed('next')]
    await machine.route(httpRoute({ targets: [old.active] }))
    const [get, post] = [ask(machine.port, { path: '/hang' }), ask(machine.port, { path: '/hang', method: 'POST' })]
    await expect.poll(() => old.hanging.length).toBe(2)
    await machine.route(httpRoute({ targets: [next.active, old.draining] }))
    machine.balancer.cut('old')
    await machine.told('idle', 'old')
    expect((await post).status).toBe(502)
    await expect.poll(() => next.hanging.length).toBe(1)
    next.hanging[0]?.end('served by next')
    expect((await get).body).toBe('served by next')
  })
})

describe('close', () => {
  it('gives work under way a moment, ends the rest, and frees the ports', async () => {
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
    expect(performance.now() - began).toBeLessThan(1_500)
    expect(await stuck).toContain('hang up')
    expect(await ended).toBe('')
    await expect(lab.connect(machine.port)).rejects.toThrow('ECONNREFUSED')
    await expect.poll(() => instance.sockets.size).toBe(0)
  })
})
