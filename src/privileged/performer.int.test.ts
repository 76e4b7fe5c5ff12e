import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeHost } from '../drivers/host/fakeHost.ts'
import { hostConformance } from '../drivers/host/hostConformance.ts'
import { openDataFolders } from '../drivers/supervisor/dataFolders.ts'
import { openUnitHost } from '../drivers/supervisor/systemd/unitHost.ts'
import { openUnitFiles } from '../drivers/supervisor/systemd/unitFiles.ts'
import { createAuthority, createRequest, signRequest } from '../identity/authority.ts'
import type { Identity } from '../identity/identityFolder.ts'
import { contentHash, scriptContent, settingsContent, signOrder, type Order } from '../identity/order.ts'
import { ownUnitKind } from '../machine/features.ts'
import { removeTree } from '../releases/removeTree.ts'
import { addressOperations, type AddressParts } from './addresses/operations.ts'
import { examineOperations } from './examine.ts'
import { haproxyOperations, type HaproxyParts } from './haproxy/operations.ts'
import type { HelperContext } from './helperContext.ts'
import { maintenanceOperations, type MaintenanceParts } from './maintenance/operations.ts'
import { performer } from './performer.ts'
import { remoteHost } from './maintenance/remote.ts'
import { programOperations, type ProgramParts } from './program/operations.ts'
import { RootFolder } from './rootFolder.ts'
import { serviceOperations, type ServiceParts } from './services/operations.ts'
import { settingsOperations } from './settings/operations.ts'

type HelperParts = Pick<HelperContext, 'folder' | 'now' | 'examine'> &
  ServiceParts &
  AddressParts &
  HaproxyParts &
  MaintenanceParts &
  ProgramParts

const release = 'ab'.repeat(32)
const notOurs = /is not an instance|invalid arguments/
const day = 86_400_000
let root: string
let told: string[]
let host: ReturnType<typeof createFakeHost>
let parts: HelperParts
let authority: { key: string; certificate: string }
let controller: Identity

const at = (...names: string[]): string => join(root, ...names)
const ask = (name: string, args: unknown): Promise<unknown> => perform()(name, args)

const perform = (): ReturnType<typeof performer> =>
  performer(
    {
      ...serviceOperations(parts),
      ...addressOperations(parts),
      ...haproxyOperations(parts),
      ...settingsOperations(parts),
      ...examineOperations(parts),
      ...maintenanceOperations(parts),
      ...programOperations(parts),
    },
    parts.folder,
  )

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'privileged-'))
  told = []
  host = createFakeHost()
  for (const name of ['units', 'secrets', 'roots']) mkdirSync(at(name))
  authority = await createAuthority('shop', Date.now())
  controller = await identityOf(authority, 'controller')
  const folder = new RootFolder(root)
  folder.make({ machine: 'a', cluster: 'shop', address: '10.0.0.11', addresses: ['10.0.0.50'] }, authority.certificate)
  parts = {
    ...{
      folder,
      host,
      unitFolder: at('units'),
      isOwnUnit: (unit) => ownUnitKind(unit) !== null,
      releases: at('releases'),
      secrets: at('secrets'),
    },
    permits: at('allowed-jail.yaml'),
    units: unitsThatTell(),
    data: openDataFolders([at('roots')], removeTree),
    addresses: {
      install: async ({ addresses }) => void told.push(`install ${addresses.map((one) => one.address).join()}`),
      leave: async () => {},
      remove: async () => void told.push('remove addresses'),
    },
    addressScript: async (_, script) => void told.push(script),
    haproxy: { start: async () => {}, copyCertificates: async () => {} },
    programs: () => Promise.reject(new Error('no programs here')),
    download: at('download'),
    examine: async () => ({ machine: 'a', checked: [], findings: [] }),
    now: () => Date.now(),
  }
})
afterEach(() => rmSync(root, { recursive: true }))

/** Uses real files; systemd itself only receives recorded calls. */
function unitsThatTell(): HelperParts['units'] {
  const files = openUnitFiles(at('units'), at('environment'))
  const tell =
    (what: string) =>
    async (unit: string): Promise<null> => {
      told.push(`${what} ${unit}`)
      return null
    }
  return {
    ...openUnitHost({ unitFolder: at('units'), environmentFolder: at('environment'), hidden: [] }),
    write: async (spec) => {
      const record = `\n[X-Tandem]\nService=${spec.service}\nInstance=${spec.id}\nSignal=SIGTERM\nWithinMs=1\n`
      files.write(`tandem-${spec.id}.service`, record, JSON.stringify(spec.env), false)
      told.push(`write ${spec.id}`)
    },
    start: tell('start'),
    stop: async (unit) => void (await tell('stop')(unit)),
    resetFailed: async (unit) => void (await tell('reset')(unit)),
    reload: async () => void told.push('reload'),
    listens: async () => true,
  }
}

async function identityOf(by: typeof authority, role: 'controller' | 'machine', now = Date.now()): Promise<Identity> {
  const { key, request } = await createRequest(role)
  const about = { role, name: role === 'controller' ? 'controller' : 'a', addresses: ['10.0.0.10'] }
  const certificate = await signRequest(by, request, about, { now, days: 30 })
  return { key, certificate, authority: by.certificate }
}

const spec = (over: object = {}) => ({
  ...{
    id: 'shop-1',
    service: 'shop',
    release,
    argv: ['./server'],
    env: { PORT: '20000' },
    cwd: at('releases', release),
  },
  limits: { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null },
  stop: { signal: 'SIGTERM', withinMs: 1_000 },
  ...over,
})
const write = (over: object = {}, executable = '/usr/bin/node') => ask('unit.write', { spec: spec(over), executable })

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
    expect(told).toEqual(['write shop-1', `start ${unit}`, `stop ${unit}`, `reset ${unit}`, `stop ${unit}`])
    expect(await ask('unit.start', { unit, timeoutMs: 1_000 })).toBe(`unit ${unit} does not exist`)
  })

  it('may take a year to stop, and its caller may wait a little longer', async () => {
    const withinMs = 366 * 24 * 3_600_000
    await write({ stop: { signal: 'SIGTERM', withinMs } })
    const unit = 'tandem-shop-1.service'
    await ask('unit.stop', { unit, timeoutMs: withinMs + 30_000 })
    expect(told).toContain(`stop ${unit}`)
  })

  const lines = 'x\nExecStartPre=+/bin/sh'
  const hostile: [string, object][] = [
    ['a line in its id', { id: `shop-${lines}` }],
    ['a path with .. in its id', { id: '../../../root' }],
    ['a line in its service', { service: `shop${lines}` }],
    ['a path with .. in its service', { service: '../shop' }],
    ['a line in its release', { release: `${release}${lines}` }],
    ['another folder as its release', { cwd: '/root' }],
    ['a path with .. out of its release', { cwd: `${join('/releases', release)}/../../etc` }],
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
    expect(told).toEqual([])
  })

  it.each(['/bin/sh\n+', '+/bin/sh', '-/bin/sh', '/bin/../bin/sh', '/bin/sh" "x', '/bin/%n'])(
    'is refused with %j as its program',
    async (executable) => {
      await expect(write({}, executable)).rejects.toThrow('invalid arguments')
    },
  )

  const isRoot = process.getuid?.() === 0
  const whyNot = isRoot ? '' : ' (skipped: the file must belong to root)'
  it.skipIf(!isRoot)(
    `may have the relaxations that the file of root allows to its service, and no others${whyNot}`,
    async () => {
      writeFileSync(parts.permits, 'shop: { capabilities: [CAP_NET_ADMIN] }\n')
      await write({ jail: { capabilities: ['CAP_NET_BIND_SERVICE', 'CAP_NET_ADMIN'] } })
      await expect(write({ jail: { capabilities: ['CAP_SYS_ADMIN'] } })).rejects.toMatchObject({
        code: 'E_JAIL',
        next: expect.stringContaining('shop: { capabilities: [CAP_SYS_ADMIN] }'),
      })
      await expect(
        write({ service: 'other', id: 'other-1', jail: { capabilities: ['CAP_NET_ADMIN'] } }),
      ).rejects.toThrow('is not allowed')
      writeFileSync(parts.permits, 'shop: { user: root }\n')
      chmodSync(parts.permits, 0o666)
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
      expect(told).toEqual([])
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
    expect(told).toEqual(['install 10.0.0.50', 'install 10.0.0.1'])
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
    expect(parts.folder.readMachine().addresses).toEqual(['10.0.0.2'])
  })

  it('are installed one after the other: the last request holds', async () => {
    const gate = Promise.withResolvers<void>()
    parts.addresses.install = async () => {
      await gate.promise
      told.push('install')
    }
    const performing = perform()
    const first = performing('addresses.install', settings())
    const second = performing('addresses.remove', {})
    gate.resolve()
    await Promise.all([first, second])
    expect(told).toEqual(['install', 'remove addresses'])
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
    expect(told).toEqual(['take'])
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
    expect(told).toEqual([])
  })
})

function signed(kind: Order['kind'], content: unknown, over: Partial<Order> = {}, by = controller): string {
  const order = { machine: 'a', kind, id: '', attempt: 0, term: 1, position: 10, sha256: contentHash(content), ...over }
  return signOrder(order, by)
}

describe('through the privileged helper', () => {
  let position = 10
  hostConformance('the client of the privileged helper', () => ({
    host: remoteHost(
      async (name, args, value) => value.parse((await ask(name, args)) ?? null),
      () => host.bootMark(),
    ),
    text: () => 'apt-get upgrade',
    end: (script, how) => host.end(script, how),
    order: (script) => {
      const [id = '', attempt] = script.id.split('-')
      return signed('script', scriptContent(script), { id, attempt: Number(attempt), position: ++position })
    },
  }))
})

describe('scripts and restarts', () => {
  const script = { id: 'm1-1', name: 'patch.sh', text: 'apt-get upgrade', withinMs: 1_000 }
  const about = { id: 'm1', attempt: 1 }
  const order = (over: Partial<Order> = {}, by = controller) =>
    signed('script', scriptContent(script), { ...about, ...over }, by)
  const begin = (signedOrder: string | null, over: object = {}) =>
    ask('script.begin', { script: { ...script, ...over }, order: signedOrder })

  it('run once when the controller has signed them, and not again after they were forgotten', async () => {
    const good = order()
    await begin(good)
    await begin(good)
    expect(host.begun).toHaveLength(1)
    await expect(ask('script.forget', script)).rejects.toThrow('is still running')
    host.setScripts({ state: 'ok' })
    await ask('script.forget', script)
    await expect(begin(good)).rejects.toThrow('has already run')
    host.start()
    await expect(begin(order({ position: 11 }))).rejects.toThrow('has already run')
    expect(host.begun).toHaveLength(1)
  })

  it('with another content, machine, kind or run are refused, and so are unsigned or older ones', async () => {
    const machine = await identityOf(authority, 'machine')
    const stranger = await identityOf(await createAuthority('shop', Date.now()), 'controller')
    const expired = await identityOf(authority, 'controller', Date.now() - 40 * day)
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
    expect(host.begun).toEqual([])
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
    host.start()
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

it('performs only listed operations, and none once another user owns its folder', async () => {
  for (const name of ['shell', 'unit.text', '__proto__', 'constructor', 'toString', ''])
    await expect(ask(name, {})).rejects.toThrow('unknown operation')
  rmSync(at('privileged'), { recursive: true })
  mkdirSync(at('elsewhere'))
  symlinkSync(at('elsewhere'), at('privileged'))
  await expect(ask('units.reload', {})).rejects.toThrow('another user has replaced it')
})
