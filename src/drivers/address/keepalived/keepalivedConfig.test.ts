import { existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardUnitFile, keepalivedUnitFile } from './addressUnits.ts'
import { keepalivedConfig } from './keepalivedConfig.ts'
import { keepalivedFiles } from './keepalivedFiles.ts'
import { keepalivedSettings, type KeepalivedSituation } from './keepalivedSettings.ts'
import { checkSettings } from './systemdAddressHost.ts'

const card = (address: string) => ({
  ...{ address, netmask: '255.255.255.0', mac: '02:00:00:00:00:01', internal: false, cidr: `${address}/24` },
  family: 'IPv4' as const,
})
const cards = { lo: [card('127.0.0.1')], eth1: [card('10.0.0.11'), card('10.0.0.12'), card('10.0.0.13')] }
const pair = (over: Partial<KeepalivedSituation> = {}): KeepalivedSituation => ({
  ...{ cluster: 'production', advert: 100, machine: 'a', own: '10.0.0.11', addresses: ['10.0.0.50', '10.0.0.51'] },
  peers: [{ machine: 'b', address: '10.0.0.12' }],
  ...over,
})
const b = pair({ machine: 'b', own: '10.0.0.12', peers: [{ machine: 'a', address: '10.0.0.11' }] })

describe('the settings of keepalived', () => {
  it('come from the card that has the machine’s own address; each address prefers its own machine', () => {
    const [onA, onB] = [keepalivedSettings(pair(), cards), keepalivedSettings(b, cards)]
    expect([onA.interface, onA.peers, onB.peers]).toEqual(['eth1', ['10.0.0.12'], ['10.0.0.11']])
    expect(onA.addresses.map(({ priority }) => priority)).toEqual([200, 190])
    expect(onB.addresses.map(({ priority }) => priority)).toEqual([190, 200])
    expect(onA.addresses.map(({ routerId }) => routerId)).toEqual(onB.addresses.map(({ routerId }) => routerId))
    expect(new Set(onA.addresses.map(({ routerId }) => routerId)).size).toBe(2)
  })

  it('give every machine of many its own priority', () => {
    const names = Array.from({ length: 30 }, (_, index) => `m${String(index).padStart(2, '0')}`)
    const priorities = names.map((machine) => {
      const peers = names.filter((name) => name !== machine).map((name) => ({ machine: name, address: '10.0.0.12' }))
      return keepalivedSettings(pair({ machine, peers }), cards).addresses[1]?.priority ?? 0
    })
    expect(priorities.indexOf(Math.max(...priorities))).toBe(1)
    expect(Math.min(...priorities)).toBeGreaterThan(0)
    expect(new Set(priorities.slice(0, 15)).size).toBe(15)
  })

  it('cannot be determined if no card has the machine’s own address', () => {
    expect(() => keepalivedSettings(pair({ own: '10.9.9.9' }), cards)).toThrow('has its own address 10.9.9.9')
  })

  it.each([
    ['own', '10.0.0.11\n}'],
    ['interface', 'eth0 } #'],
    ['machine', 'a b'],
  ])('that would end a line or a word are rejected: %s', (key, value) => {
    const settings = keepalivedSettings(pair(), cards)
    expect(() => checkSettings(settings)).not.toThrow()
    expect(() => checkSettings({ ...settings, [key]: value })).toThrow('must not contain')
  })
})

describe('the configuration of keepalived', () => {
  const parent = join(import.meta.dirname, '../../../../tmp')
  let folder = ''
  beforeAll(() => {
    mkdirSync(parent, { recursive: true })
    folder = mkdtempSync(join(parent, 'keepalived-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is BACKUP with nopreempt on both, unicast, VRRP 3, ten advertisements a second', () => {
    expect(keepalivedConfig(keepalivedSettings(pair(), cards), '/run/tandem-address')).toMatchSnapshot()
  })

  it('advertises as often as the cluster file requires', () => {
    const text = keepalivedConfig(keepalivedSettings(pair({ advert: 1_000 }), cards), '/run/x')
    expect(text.match(/advert_int .*/g)).toEqual(['advert_int 1', 'advert_int 1'])
  })

  it('moves an address of the other family with the first address of VRRP’s own family; then both prefer the same machine', () => {
    const settings = keepalivedSettings({ ...b, addresses: ['fd00::50', '10.0.0.50'] }, cards)
    expect(settings.addresses.map(({ priority }) => priority)).toEqual([190, 190])
    const text = keepalivedConfig(settings, '/run/x')
    expect(text.match(/vrrp_instance/g)).toHaveLength(1)
    expect(text).toContain('virtual_ipaddress_excluded {\n    fd00::50/128\n')
    const alone = keepalivedSettings(pair({ addresses: ['fd00::50'] }), cards)
    expect(() => keepalivedConfig(alone, '/run/x')).toThrow('VRRP cannot move any')
  })

  it('is unicast even if there is no other machine', () => {
    expect(keepalivedConfig(keepalivedSettings(pair({ peers: [] }), cards), '/run/x')).toContain(
      'unicast_peer {\n    127.0.0.1\n',
    )
  })

  const program = '/usr/sbin/keepalived'
  const real = Object.entries(networkInterfaces()).find(([, infos]) => infos?.every(({ internal }) => !internal))?.[0]
  const cannot = !existsSync(program) || process.getuid?.() !== 0 || real === undefined
  it.skipIf(cannot)('is accepted by keepalived itself (skipped without root, a network card and keepalived)', () => {
    for (const situation of [pair(), pair({ peers: [] }), b, pair({ addresses: ['fd00::50', '10.0.0.50'] })]) {
      const file = join(folder, 'keepalived.conf')
      writeFileSync(file, keepalivedConfig({ ...keepalivedSettings(situation, cards), interface: real ?? '' }, folder))
      expect(() => execFileSync(program, ['--config-test', '--use-file', file], { stdio: 'pipe' })).not.toThrow()
    }
  })

  it('is run by units of Tandem, which remove all addresses that are left', () => {
    const files = keepalivedFiles('/var/lib/tandem')
    const unit = keepalivedUnitFile(program, files, keepalivedSettings(pair(), cards))
    expect(unit).toContain(
      'ExecStopPost=-ip address del 10.0.0.50/32 dev eth1\nExecStopPost=-ip address del 10.0.0.51/32',
    )
    expect(unit).toContain('CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE\n')
    const guard = guardUnitFile(['/usr/bin/node', '--x=1', '/opt/main.js', 'agent', 'guard', '--data', '/data'], files)
    expect(guard).toContain(
      'WatchdogSec=5\nExecStart=/usr/bin/node --x=1 /opt/main.js agent guard --data /data\nExecStopPost=-nft',
    )
    expect(guard).toContain('ConditionPathExists=/usr/bin/node\nConditionPathExists=/opt/main.js\nStartLimit')
    expect(guard).toContain('IPAddressDeny=any\n')
    expect(guard).toContain('RestrictAddressFamilies=AF_UNIX AF_NETLINK\n')
  })
})
