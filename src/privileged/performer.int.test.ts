import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { performerLab } from './testing/performerLab.ts'

const release = 'ab'.repeat(32)
const notOurs = /is not an instance|invalid arguments/
const lab = performerLab()
const ask = (name: string, args: unknown): Promise<unknown> => lab().ask(name, args)
const at = (...names: string[]): string => lab().at(...names)

const spec = (over: object = {}) => ({
  ...{
    id: 'shop-1',
    service: 'shop',
    release,
    argv: ['./server'],
    env: { PORT: '20000' },
  },
  limits: { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null },
  stop: { signal: 'SIGTERM', withinMs: 1_000 },
  ...over,
})
const write = (over: object = {}) => ask('unit.write', { spec: spec(over) })

describe('an instance', () => {
  it('is written with the secrets of its service, started, stopped and removed', async () => {
    writeFileSync(at('secrets/shop.env'), 'TOKEN=secret\n', { mode: 0o600 })
    await write()
    const unit = 'tandem-shop-1.service'
    expect(readFileSync(at('environment/tandem-shop-1.env'), 'utf8')).toContain('secret')
    expect(await ask('unit.start', { unit, timeoutMs: 1_000 })).toBe(null)
    await ask('unit.stop', { unit, timeoutMs: 1_000 })
    await ask('unit.resetFailed', { unit })
    await ask('unit.remove', { unit })
    expect(lab().told).toEqual(['write shop-1', `start ${unit}`, `stop ${unit}`, `reset ${unit}`, `stop ${unit}`])
    expect(await ask('unit.start', { unit, timeoutMs: 1_000 })).toBe(`unit ${unit} does not exist`)
  })

  it('of an agent from before the helper made the folders of releases runs where that agent made them', async () => {
    const cwd = at('former', release)
    await ask('unit.write', { spec: spec({ cwd }), executable: '/usr/bin/node' })
    await write({ id: 'shop-2' })
    expect(lab().written.map((one) => one.cwd)).toEqual([cwd, at('releases', release)])
  })

  it('may take a year to stop, and its caller may wait a little longer', async () => {
    const withinMs = 366 * 24 * 3_600_000
    await write({ stop: { signal: 'SIGTERM', withinMs } })
    const unit = 'tandem-shop-1.service'
    await ask('unit.stop', { unit, timeoutMs: withinMs + 30_000 })
    expect(lab().told).toContain(`stop ${unit}`)
  })

  const lines = 'x\nExecStartPre=+/bin/sh'
  const hostile: [string, object][] = [
    ['a line in its id', { id: `shop-${lines}` }],
    ['a path with .. in its id', { id: '../../../root' }],
    ['a line in its service', { service: `shop${lines}` }],
    ['a path with .. in its service', { service: '../shop' }],
    ['a line in its release', { release: `${release}${lines}` }],
    ['another folder as its release', { cwd: '/root' }],
    ['a line in its folder', { cwd: `/x${lines}` }],
    ['a line in the name of a variable', { env: { [`A=1${lines}`]: '1' } }],
    ['a NUL in an argument', { argv: ['a\0b'] }],
    ['no argument', { argv: [] }],
    ['another signal', { stop: { signal: `SIGTERM${lines}`, withinMs: 1 } }],
    ['an invalid time', { stop: { signal: 'SIGTERM', withinMs: '1\n' } }],
    ['a limit that is text', { limits: { memoryBytes: lines, cpu: null, tasks: null, bodyBytes: null } }],
    ['a line in a folder to write', { jail: { write: [`/x${lines}`] } }],
    ['a line in a system call', { jail: { systemCalls: [`x${lines}`] } }],
    ['a line in an address', { jail: { addresses: [`10.0.0.1${lines}`] } }],
    ['a line in an address family', { jail: { addressFamilies: [`AF_X${lines}`] } }],
    ['a line in its user', { jail: { user: `x${lines}` } }],
    ['an unknown key', { unitText: '[Service]' }],
    ['root as its user', { jail: { user: 'root' } }],
    ['a capability that leads to root', { jail: { capabilities: ['CAP_SYS_ADMIN'] } }],
    ['a device', { jail: { devices: ['/dev/sda'] } }],
  ]
  it.each(hostile)('is refused with %s', async (_, over) => {
    await expect(write(over)).rejects.toThrow(/invalid arguments|is not the folder|is not allowed/)
    expect(lab().told).toEqual([])
  })

  const isRoot = process.getuid?.() === 0
  const whyNot = isRoot ? '' : ' (skipped: the file must belong to root)'
  it.skipIf(!isRoot)(
    `may have the relaxations that the file of root allows to its service, and no others${whyNot}`,
    async () => {
      writeFileSync(lab().parts.permits, 'shop: { capabilities: [CAP_NET_ADMIN] }\n')
      await write({ jail: { capabilities: ['CAP_NET_BIND_SERVICE', 'CAP_NET_ADMIN'] } })
      await expect(write({ jail: { capabilities: ['CAP_SYS_ADMIN'] } })).rejects.toMatchObject({
        code: 'E_JAIL',
        next: expect.stringContaining('shop: { capabilities: [CAP_SYS_ADMIN] }'),
      })
      await expect(
        write({ service: 'other', id: 'other-1', jail: { capabilities: ['CAP_NET_ADMIN'] } }),
      ).rejects.toThrow('is not allowed')
      writeFileSync(lab().parts.permits, 'shop: { user: root }\n')
      chmodSync(lab().parts.permits, 0o666)
      await expect(write({ jail: { user: 'root' } })).rejects.toThrow('only root can write')
    },
  )
})

describe('units of others', () => {
  const foreign = ['tandem-agent.service', 'tandem-haproxy.service', 'tandem-ssh.service', 'tandem-agent-trial.service']
  it.each([...foreign, 'ssh.service', '../tandem-shop-1.service', 'tandem-x.service tandem-y.service', '-H.service'])(
    '%s is not touched',
    async (unit) => {
      writeFileSync(at('units/tandem-ssh.service'), '[Service]\nExecStart=/bin/true\n')
      const within = { unit, timeoutMs: 1_000 }
      for (const name of ['unit.start', 'unit.stop']) await expect(ask(name, within)).rejects.toThrow(notOurs)
      for (const name of ['unit.remove', 'unit.resetFailed']) await expect(ask(name, { unit })).rejects.toThrow(notOurs)
      expect(lab().told).toEqual([])
    },
  )

  it('an instance cannot take the name of a part of Tandem, or of an unrelated unit', async () => {
    writeFileSync(at('units/tandem-shop-9.service'), '[Service]\nExecStart=/bin/true\n')
    await expect(write({ service: 'agent', id: 'agent-trial' })).rejects.toThrow('is not an instance')
    await expect(write({ id: 'shop-9' })).rejects.toThrow('is not an instance of Tandem')
  })

  it('a control group is examined only for the unit that it belongs to', async () => {
    await write()
    const about = { unit: 'tandem-shop-1.service', port: 22 }
    const group = '/tandem.slice/tandem-shop.slice/tandem-shop-1.service'
    expect(await ask('socket.isOf', { ...about, group })).toBe(true)
    expect(await ask('socket.isOf', { ...about, group: '/system.slice/ssh.service' })).toBe(false)
    await expect(ask('socket.isOf', { ...about, group: `/../..${group}` })).rejects.toThrow('invalid arguments')
  })
})

describe('data folders', () => {
  it('are removed with their service, not through links, and not while a process runs that could make a link', async () => {
    mkdirSync(at('roots/shop/deep'), { recursive: true })
    mkdirSync(at('precious'))
    writeFileSync(at('precious/file'), 'kept')
    symlinkSync(at('precious'), at('roots/shop/deep/link'))
    await write()
    await expect(ask('data.remove', { service: 'shop' })).rejects.toThrow('still uses the data of shop')
    await ask('unit.remove', { unit: 'tandem-shop-1.service' })
    await ask('data.remove', { service: 'shop' })
    expect(readFileSync(at('precious/file'), 'utf8')).toBe('kept')
    for (const service of ['../precious', '.', '', '/etc'])
      await expect(ask('data.remove', { service })).rejects.toThrow('invalid arguments')
  })
})

it('performs only listed operations, and none once another user owns its folder', async () => {
  for (const name of ['shell', 'unit.text', '__proto__', 'constructor', 'toString', ''])
    await expect(ask(name, {})).rejects.toThrow('unknown operation')
  rmSync(at('privileged'), { recursive: true })
  mkdirSync(at('elsewhere'))
  symlinkSync(at('elsewhere'), at('privileged'))
  await expect(ask('units.reload', {})).rejects.toThrow('another user has replaced it')
})
