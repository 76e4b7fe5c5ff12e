import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { metadataAddresses, metadataPort } from '../../definitions/firewall/metadata.ts'
import { exec, execOrThrow } from '../../lib/exec.ts'
import { randomRun } from '../../lib/testing/randomRun.ts'
import { seededRandom } from '../../lib/testing/seededRandom.ts'
import { until } from '../../lib/testing/until.ts'
import type { Guard } from './firewall.ts'
import { NftFirewall } from './nftFirewall.ts'
import type { GuardedUnit } from './rulesOf.ts'

const insideMachine = process.env['TANDEM_LAB_MACHINE'] === '1'
const why = insideMachine ? '' : ' (skipped: make test-lab runs this on its own machine)'

/** Users of Debian play the users of services, of the balancer, of the agent and of a monitoring program. */
const [shop, database, stranger, balancer, agent, monitor] = ['games', 'news', 'man', 'www-data', 'backup', 'list']
const port = 18_001
const route = { address: '127.77.3.4', port: 5432 }
const outside = '192.0.2.7'

const guard = (over: Partial<Guard> = {}): Guard => ({
  mode: 'enforce',
  users: [monitor],
  routes: [{ ...route, service: database, callers: [shop] }],
  ...over,
})
const unit = (over: Partial<GuardedUnit> = {}): GuardedUnit => ({
  ...{ service: database, user: database, port, networks: null },
  ...over,
})

const as = (user: string, ...argv: string[]): string[] => ['setpriv', `--reuid=${user}`, '--clear-groups', ...argv]
/** Whether a program of this user can connect, and is answered. */
async function reaches(user: string, address: string, to: number): Promise<boolean> {
  const { out } = await exec(as(user, 'socat', '-T1', '-', `TCP:${address}:${to},connect-timeout=1`), {
    input: 'hello',
  })
  return out === 'hello'
}

describe.skipIf(!insideMachine)(`the firewall in the kernel${why}`, () => {
  let folder: string
  let units: GuardedUnit[]
  let firewall: NftFirewall
  const listeners: { end: () => Promise<void> }[] = []

  const make = (): NftFirewall =>
    new NftFirewall({
      ...{ folder, units: () => units, ensureUser: async () => {}, userOf: (service) => service },
      ...{ free: [balancer, agent], balancers: [balancer], hasUnit: false },
    })

  /** Echoes on this address and port, as this user. */
  async function listen(user: string, address: string, on: number): Promise<() => Promise<void>> {
    const options = `TCP-LISTEN:${on},bind=${address},reuseaddr,fork`
    const [file = '', ...args] = as(user, 'socat', options, 'EXEC:cat')
    const child = spawn(file, args, { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const end = async (): Promise<void> => {
      child.kill('SIGKILL')
      await ended
    }
    listeners.push({ end })
    await until(async () => expect((await exec(['ss', '-tlnH', `sport = :${on}`])).out).not.toBe(''))
    return end
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'firewall-'))
    units = [unit()]
    firewall = make()
  })
  afterEach(async () => {
    await Promise.all(listeners.splice(0).map(({ end }) => end()))
    await firewall.hold(null)
    rmSync(folder, { recursive: true })
  })

  it('lets only the balancer, the agent, root and the service itself connect to the port of an instance', async () => {
    await listen(database, '0.0.0.0', port)
    await firewall.hold(guard())
    const answers: Record<string, boolean> = {}
    for (const user of [shop, stranger, monitor, balancer, agent, 'root', database])
      answers[user] = await reaches(user, '127.0.0.1', port)
    expect(answers).toEqual({
      [shop]: false,
      [stranger]: false,
      [monitor]: false,
      ...{ [balancer]: true, [agent]: true, root: true, [database]: true },
    })
    expect(await reaches(stranger, '127.0.0.2', port)).toBe(false)
  })

  it('lets services that use a service, itself, root and the named users connect to its route', async () => {
    await listen(balancer, route.address, route.port)
    await firewall.hold(guard())
    const open = await Promise.all(
      [shop, database, 'root', monitor, agent, stranger].map((user) => reaches(user, route.address, route.port)),
    )
    expect(open).toEqual([true, true, true, true, true, false])
  })

  it('lets only the service answer on its port, and only the balancer at the address of a route', async () => {
    await firewall.hold(guard())
    await listen(stranger, '127.0.0.1', port)
    await listen(stranger, route.address, route.port)
    expect(await reaches(balancer, '127.0.0.1', port)).toBe(false)
    expect(await reaches(shop, route.address, route.port)).toBe(false)
    expect((await firewall.look())?.problems).toContainEqual(
      `user ${stranger} answered on port ${port}, which is that of ${database}`,
    )
  })

  it('refuses at once, so that the caller sees an error and not a silence', async () => {
    await firewall.hold(guard())
    await listen(balancer, route.address, route.port)
    const { err } = await exec(as(stranger, 'socat', '-', `TCP:${route.address}:${route.port}`), { input: 'x' })
    expect(err).toContain('Connection refused')
  })

  it('guards a port from before the start of its instance, and an older one until its unit is gone', async () => {
    await firewall.hold(guard())
    units = [unit(), unit({ port: port + 1 })]
    expect(await firewall.refresh()).toBe(true)
    for (const on of [port, port + 1]) {
      await listen(database, '127.0.0.1', on)
      expect([await reaches(stranger, '127.0.0.1', on), await reaches(balancer, '127.0.0.1', on)]).toEqual([
        false,
        true,
      ])
    }
    units = [unit({ port: port + 1 })]
    await firewall.refresh()
    expect([await reaches(stranger, '127.0.0.1', port), await reaches(stranger, '127.0.0.1', port + 1)]).toEqual([
      true,
      false,
    ])
  })

  it('counts callers by service or user, also over a change of rules, and only counts them in the mode observe', async () => {
    await listen(balancer, route.address, route.port)
    await firewall.hold(guard())
    for (const user of [shop, shop, stranger]) await reaches(user, route.address, route.port)
    await firewall.hold(guard({ mode: 'observe' }))
    expect(await reaches(stranger, route.address, route.port)).toBe(true)
    await reaches(stranger, '127.0.0.1', port)
    units = [unit(), unit({ service: shop, user: shop, port: null })]
    expect((await firewall.look())?.calls).toEqual([
      { from: shop, to: database, port: route.port, seen: 2, refused: 0 },
      { from: `user ${stranger}`, to: database, port, seen: 1, refused: 3 },
    ])
  })

  const hold = (user: string) => {
    const [file = '', ...args] = as(user, 'socat', '-', `TCP:${route.address}:${route.port}`)
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    listeners.push({ end: async () => void child.kill('SIGKILL') })
    const heard: string[] = []
    child.stdout.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
    child.stdin.on('error', () => {})
    return { child, say: (text: string) => child.stdin.write(text), heard }
  }

  it('ends open connections when the right to them is taken away, and no others', async () => {
    await listen(balancer, route.address, route.port)
    const open = guard({ routes: [{ ...route, service: database, callers: [shop, stranger] }] })
    await firewall.hold(open)
    const [kept, lost] = [hold(shop), hold(stranger)]
    for (const one of [kept, lost]) {
      one.say('1')
      await expect.poll(() => one.heard.join('')).toBe('1')
    }
    await firewall.hold(guard())
    await expect.poll(() => lost.child.exitCode).not.toBe(null)
    kept.say('2')
    await expect.poll(() => kept.heard.join('')).toBe('12')
  })

  it('comes back when another program has flushed all rules, and changes no rules of others', async () => {
    await firewall.hold(guard())
    await listen(balancer, route.address, route.port)
    expect(await firewall.seemsThere()).toBe(true)
    await execOrThrow(['nft', 'flush', 'ruleset'])
    expect(await firewall.seemsThere()).toBe(false)
    await execOrThrow(['nft', 'add', 'table', 'inet', 'theirs'])
    expect(await reaches(stranger, route.address, route.port)).toBe(true)
    expect((await make().look())?.isRestored).toBe(true)
    expect(await reaches(stranger, route.address, route.port)).toBe(false)
    expect((await make().look())?.isRestored).toBe(false)
    await firewall.hold(null)
    expect(await execOrThrow(['nft', 'list', 'tables'])).toBe('table inet theirs\n')
    await execOrThrow(['nft', 'delete', 'table', 'inet', 'theirs'])
  })

  it('ends connections that began while its unit loaded the rules again, at the next look', async () => {
    await firewall.hold(guard())
    await listen(balancer, route.address, route.port)
    await execOrThrow(['nft', 'flush', 'ruleset'])
    const one = hold(stranger)
    one.say('1')
    await expect.poll(() => one.heard.join('')).toBe('1')
    await execOrThrow(['nft', '-f', join(folder, 'firewall.nft')])
    expect((await firewall.look())?.isRestored).toBe(false)
    await expect.poll(() => one.child.exitCode).not.toBe(null)
  })

  it('confines a service to its addresses, and to those of both releases while two run', async () => {
    await execOrThrow(['ip', 'address', 'add', `${outside}/32`, 'dev', 'lo'])
    try {
      await listen('root', outside, 9_999)
      await listen('root', '127.0.0.1', 9_998)
      const both = ['198.51.100.0/24', '203.0.113.9'].map((network) => unit({ networks: [network] }))
      units = both
      await firewall.hold(guard({ mode: 'observe' }))
      expect(await reaches(database, outside, 9_999)).toBe(false)
      expect(await reaches(stranger, outside, 9_999)).toBe(true)
      expect(await reaches(database, '127.0.0.1', 9_998)).toBe(true)
      units = [...both, unit({ networks: [`${outside}/32`, '192.0.2.0/24'] })]
      await firewall.refresh()
      expect(await reaches(database, outside, 9_999)).toBe(true)
      units = [...both, unit({ networks: null })]
      await firewall.refresh()
      expect(await reaches(database, outside, 9_999)).toBe(true)
      units = both
      await firewall.refresh()
      expect(await reaches(database, outside, 9_999)).toBe(false)
    } finally {
      await execOrThrow(['ip', 'address', 'del', `${outside}/32`, 'dev', 'lo'])
    }
  })

  it('keeps services from the metadata address, but for those that name it, and other users are free', async () => {
    const [metadata, on] = [metadataAddresses.ip, metadataPort]
    await execOrThrow(['ip', 'address', 'add', `${metadata}/32`, 'dev', 'lo'])
    try {
      await listen('root', metadata, on)
      units = [unit(), unit({ service: shop, user: shop, port: null })]
      const open = async (): Promise<boolean[]> =>
        Promise.all([database, shop, stranger, 'root'].map((user) => reaches(user, metadata, on)))
      await firewall.hold(guard({ metadata: [shop] }))
      expect(await open()).toEqual([false, true, true, true])
      expect((await firewall.look())?.problems.join()).toContain(`${database} connected to ${metadata}`)
      await firewall.hold(guard({ mode: 'observe', metadata: [] }))
      expect(await open()).toEqual([true, true, true, true])
      expect((await firewall.look())?.problems.join()).toContain(`${shop} connected to ${metadata}`)
      await firewall.hold(guard())
      expect(await open()).toEqual([true, true, true, true])
    } finally {
      await execOrThrow(['ip', 'address', 'del', `${metadata}/32`, 'dev', 'lo'])
    }
  })

  /** Each set of rules in the kernel. */
  async function kernel(): Promise<Record<string, string[]>> {
    const out = await execOrThrow(['nft', '-j', 'list', 'table', 'inet', 'tandem'])
    const { nftables } = JSON.parse(out) as { nftables: { set?: { name: string; elem?: unknown[] } }[] }
    const sets = nftables.flatMap(({ set }) => (set === undefined ? [] : [set]))
    return Object.fromEntries(
      sets.map(({ name, elem = [] }) => [name, elem.map((one) => JSON.stringify(one)).toSorted()]),
    )
  }
  /** The same when the whole table is made again. */
  async function wholly(): Promise<Record<string, string[]>> {
    await execOrThrow(['nft', 'delete', 'table', 'inet', 'tandem'])
    await execOrThrow(['nft', '-f', join(folder, 'firewall.nft')])
    return kernel()
  }

  it('holds after any change of units what a boot would load', async () => {
    const { seed, count } = randomRun('rules', { check: 100, soak: 100 })
    const random = seededRandom(seed)
    const among = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)]
    const networks = ['10.0.0.0/8', '10.0.0.1', '10.1.0.0/16', 'fd00::/8', 'fd00::1']
    const some = (): GuardedUnit =>
      unit({
        user: among([shop, database, stranger]) ?? shop,
        port: port + Math.floor(random() * 20),
        networks: random() < 0.3 ? null : networks.filter(() => random() < 0.5),
      })
    await firewall.hold(guard({ metadata: [shop] }))
    for (let round = 0; round < count; round++) {
      units = [...units.filter(() => random() < 0.7), ...Array.from({ length: Math.floor(random() * 4) }, some)]
      await firewall.refresh()
      const held = await kernel()
      if (round % 5 === 0) expect(held).toEqual(await wholly())
      expect(held['instance_ports']).toEqual([...new Set(units.map((one) => `${one.port}`))].toSorted())
    }
  })

  it('guards the ports of instances that start at the same time, and all when the table is gone', async () => {
    await firewall.hold(guard())
    for (const gone of [false, true]) {
      if (gone) await execOrThrow(['nft', 'flush', 'ruleset'])
      const started = [1, 2, 3].map((step) => {
        units = [...units, unit({ port: port + (gone ? 10 : 0) + step })]
        return firewall.refresh()
      })
      expect(await Promise.all(started)).toEqual([true, true, true])
      expect((await kernel())['instance_ports']).toEqual(units.map((one) => `${one.port}`).toSorted())
    }
  })

  it('keeps rules for the next boot that nft has accepted, and names a refusal', async () => {
    await firewall.hold(guard())
    const before = readFileSync(join(folder, 'firewall.nft'), 'utf8')
    units = [unit(), unit({ user: shop, networks: ['not a network'], port: port + 1 })]
    await expect(firewall.refresh()).rejects.toMatchObject({ code: 'E_FIREWALL' })
    await expect(firewall.hold(guard())).rejects.toMatchObject({ code: 'E_FIREWALL' })
    expect(readFileSync(join(folder, 'firewall.nft'), 'utf8')).toBe(before)
    expect((await kernel())['instance_ports']).toEqual([`${port}`])
    units = [unit(), unit({ port: port + 2 })]
    await firewall.refresh()
    expect((await kernel())['instance_ports']).toEqual([port, port + 2].map(String))
  })

  it('makes the whole table after a crash between the kernel and the disk', async () => {
    await firewall.hold(guard())
    writeFileSync(join(folder, 'firewall.nft.new'), 'cut o')
    await execOrThrow(['nft', 'flush', 'set', 'inet', 'tandem', 'owners'])
    await make().refresh()
    expect((await kernel())['owners']).toHaveLength(1)
    expect(await kernel()).toEqual(await wholly())
  })

  it('replaces the rules of a table whose sets have other types', async () => {
    await execOrThrow(['nft', 'add table inet tandem; add set inet tandem may { type ipv4_addr; }'])
    await firewall.hold(guard())
    await listen(balancer, route.address, route.port)
    expect(await reaches(stranger, route.address, route.port)).toBe(false)
  })
})
