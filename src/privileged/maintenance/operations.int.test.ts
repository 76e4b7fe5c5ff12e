import { describe, expect, it } from 'vitest'
import { hostConformance } from '../../drivers/host/hostConformance.ts'
import { createAuthority } from '../../identity/authority.ts'
import { scriptContent, type Order } from '../../identity/order.ts'
import { identityOf, performerLab, type PerformerLab } from '../testing/performerLab.ts'
import { remoteHost } from './remote.ts'

const day = 86_400_000
const lab = performerLab()
const ask = (name: string, args: unknown): Promise<unknown> => lab().ask(name, args)
const signed: PerformerLab['signed'] = (...order) => lab().signed(...order)

describe('through the privileged helper', () => {
  let position = 10
  hostConformance('the client of the privileged helper', () => ({
    host: remoteHost(
      async (name, args, value) => value.parse((await ask(name, args)) ?? null),
      () => lab().host.bootMark(),
    ),
    text: () => 'apt-get upgrade',
    end: (script, how) => lab().host.end(script, how),
    order: (script) => {
      const [id = '', attempt] = script.id.split('-')
      return signed('script', scriptContent(script), { id, attempt: Number(attempt), position: ++position })
    },
  }))
})

describe('scripts and restarts', () => {
  const script = { id: 'm1-1', name: 'patch.sh', text: 'apt-get upgrade', withinMs: 1_000 }
  const about = { id: 'm1', attempt: 1 }
  const order = (over: Partial<Order> = {}, by = lab().controller) =>
    signed('script', scriptContent(script), { ...about, ...over }, by)
  const begin = (signedOrder: string | null, over: object = {}) =>
    ask('script.begin', { script: { ...script, ...over }, order: signedOrder })

  it('run once when the controller has signed them, and not again after they were forgotten', async () => {
    const good = order()
    await begin(good)
    await begin(good)
    expect(lab().host.begun).toHaveLength(1)
    await expect(ask('script.forget', script)).rejects.toThrow('is still running')
    lab().host.setScripts({ state: 'ok' })
    await ask('script.forget', script)
    await expect(begin(good)).rejects.toThrow('has already run')
    lab().host.start()
    await expect(begin(order({ position: 11 }))).rejects.toThrow('has already run')
    expect(lab().host.begun).toHaveLength(1)
  })

  it('with another content, machine, kind or run are refused, and so are unsigned or older ones', async () => {
    const machine = await identityOf(lab().authority, 'machine')
    const stranger = await identityOf(await createAuthority('shop', Date.now()), 'controller')
    const expired = await identityOf(lab().authority, 'controller', Date.now() - 40 * day)
    const refused: [string | null, RegExp, object?][] = [
      [null, /not signed/],
      ['{}', /E_ORDER|rejected the request/],
      ['nonsense', /rejected the request/],
      [order(), /another content/, { text: 'rm -rf /' }],
      [order(), /another content/, { withinMs: 2_000 }],
      [order({ machine: 'b' }), /for machine b/],
      [order({ id: 'm2' }), /the order is meant for m2-1/],
      [signed('restart', null, about), /for a restart/],
      [order({}, machine), /belongs to a machine/],
      [order({}, stranger), /not issued by this cluster/],
      [order({}, expired), /expired/],
      [order().replace('"position":10', '"position":11'), /signature/],
    ]
    for (const [given, why, over] of refused) await expect(begin(given, over)).rejects.toThrow(why)
    expect(lab().host.begun).toEqual([])
    await begin(order({ position: 20 }))
    const old = { ...script, id: 'm0-1' }
    const older = signed('script', scriptContent(old), { id: 'm0', attempt: 1, position: 19 })
    await expect(ask('script.begin', { script: old, order: older })).rejects.toThrow('already obeyed a later order')
  })

  it('a restart happens once for each order', async () => {
    const good = signed('restart', null, about)
    await expect(ask('machine.restart', { order: null })).rejects.toThrow('not signed')
    await ask('machine.restart', { order: good })
    await ask('machine.restart', { order: good })
    lab().host.start()
    await expect(ask('machine.restart', { order: good })).rejects.toThrow('has already restarted')
  })

  it.each(['../m1', 'm1;reboot', 'm1 --property=ExecStartPre=x', '', '-m', 'M'.repeat(200)])(
    'cannot be called %j',
    async (id) => {
      for (const name of ['script.look', 'script.forget'])
        await expect(ask(name, { ...script, id })).rejects.toThrow('invalid arguments')
    },
  )
})
