import { describe, expect, it } from 'vitest'
import { settingsContent } from '../../identity/order.ts'
import { performerLab, type PerformerLab } from '../testing/performerLab.ts'

const lab = performerLab()
const ask = (name: string, args: unknown): Promise<unknown> => lab().ask(name, args)
const signed: PerformerLab['signed'] = (...order) => lab().signed(...order)

describe('virtual addresses', () => {
  const settings = (over: object = {}) => ({
    settings: {
      ...{ machine: 'a', interface: 'eth0', own: '10.0.0.11', peers: ['10.0.0.12'] },
      addresses: [{ address: '10.0.0.50', routerId: 1, priority: 100 }],
      ...over,
    },
    haproxy: null,
  })
  it('are only those of the cluster file that the controller has signed', async () => {
    await ask('addresses.install', settings())
    const other = settings({ addresses: [{ address: '10.0.0.1', routerId: 1, priority: 100 }] })
    await expect(ask('addresses.install', other)).rejects.toThrow('is not an address of the cluster file')
    const about = { address: '10.0.0.11', addresses: ['10.0.0.1'] }
    await expect(ask('settings.take', { ...about, order: null })).rejects.toThrow('not signed by the controller')
    await ask('settings.take', { ...about, order: signed('settings', settingsContent(about)) })
    await ask('addresses.install', other)
    await expect(ask('addresses.install', settings())).rejects.toThrow('is not an address of the cluster file')
    expect(lab().told).toEqual(['install 10.0.0.50', 'install 10.0.0.1'])
  })

  it('never go back to an earlier cluster file', async () => {
    const [before, after] = [['10.0.0.1'], ['10.0.0.2']].map((addresses) => ({ address: '10.0.0.11', addresses }))
    const at = (about: object | undefined, position: number) => ({
      ...about,
      order: signed('settings', settingsContent(about as typeof before & {}), { position }),
    })
    await ask('settings.take', at(before, 5))
    await ask('settings.take', at(after, 7))
    await ask('settings.take', at(after, 7))
    await expect(ask('settings.take', at(before, 5))).rejects.toThrow('has already obeyed a later order')
    expect(lab().parts.folder.readMachine().addresses).toEqual(['10.0.0.2'])
  })

  it('are installed one after the other: the last request holds', async () => {
    const gate = Promise.withResolvers<void>()
    lab().parts.addresses.install = async () => {
      await gate.promise
      lab().told.push('install')
    }
    const performing = lab().perform()
    const first = performing('addresses.install', settings())
    const second = performing('addresses.remove', {})
    gate.resolve()
    await Promise.all([first, second])
    expect(lab().told).toEqual(['install', 'remove addresses'])
  })

  it('move only by the scripts of root', async () => {
    await ask('addresses.script', { script: 'take', addresses: ['10.0.0.50'] })
    const refused = [
      { script: '../take' },
      { script: 'take', addresses: ['10.0.0.1'] },
      { script: 'take', addresses: ['x;y'] },
    ]
    for (const args of refused)
      await expect(ask('addresses.script', { addresses: [], ...args })).rejects.toThrow(
        /invalid arguments|cluster file/,
      )
    expect(lab().told).toEqual(['take'])
  })

  const lines = 'x\nscript_user root'
  it.each([
    ['a line in the interface', { interface: `eth0${lines}` }],
    ['a line in its own address', { own: `10.0.0.11${lines}` }],
    ['a line in a peer', { peers: [`10.0.0.12${lines}`] }],
    ['a line in an address', { addresses: [{ address: `10.0.0.50${lines}`, routerId: 1, priority: 1 }] }],
    ['an invalid router id', { addresses: [{ address: '10.0.0.50', routerId: 256, priority: 1 }] }],
    ['another machine', { machine: 'b' }],
    ['another own address', { own: '10.0.0.99' }],
  ])('are refused with %s', async (_, over) => {
    await expect(ask('addresses.install', settings(over))).rejects.toThrow(/invalid arguments|this machine/)
    await expect(ask('addresses.install', { ...settings(), haproxy: '/etc/shadow' })).rejects.toThrow(
      'invalid arguments',
    )
    expect(lab().told).toEqual([])
  })
})
