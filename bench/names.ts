import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { BalancerLab, httpRoute } from '../src/drivers/balancer/balancerLab.ts'
import { childHaproxy } from '../src/drivers/balancer/haproxy/childHaproxy.ts'
import { HaproxyLab } from '../src/drivers/balancer/haproxy/haproxyLab.ts'
import { MasterSocket } from '../src/drivers/balancer/haproxy/masterSocket.ts'
import { transact } from '../src/drivers/firewall/nft.ts'
import { NftFirewall } from '../src/drivers/firewall/nftFirewall.ts'
import type { GuardedUnit } from '../src/drivers/firewall/rulesOf.ts'
import { elementsText, tableText, type TableRules } from '../src/drivers/firewall/tableText.ts'
import { firewallTable } from '../src/layout/firewall.ts'
import { execOrThrow } from '../src/lib/exec.ts'
import { aptInstall, isInstalled } from '../src/lib/testing/aptInstall.ts'
import { median } from './median.ts'
import { cpuSecondsIn } from './processCost.ts'
import { socketCost } from './socketCost.ts'
import { installWrk, parseWrk, wrkArguments } from './wrk.ts'

/*
 * The cost of names and of the firewall, in a network namespace of its own (root only):
 *   calls   CPU time of HAProxy a request at the address of a service, compared with a plain backend of HAProxy
 *   rules   CPU time of client, HAProxy and service a kept-alive request, and of both ends of a connection, with the rules and without
 *   change  wall time in which the rules of 100 services are replaced, and in which a start of an instance waits for its port
 * `make bench-names ROUNDS=9 SECONDS=2`.
 */

const rounds = Number(process.env['ROUNDS'] ?? 9)
const seconds = Number(process.env['SECONDS'] ?? 2)
const without = `add table inet ${firewallTable}\ndelete table inet ${firewallTable}\n`
const folder = `/tmp/tandem-bench-names-${process.pid}`
const [address, port, plainPort] = ['127.77.1.2', 8_080, 8_081]

if (process.argv[2] !== 'inside') {
  await installWrk()
  if (!isInstalled('nft')) aptInstall(['nftables'])
  const inside = `ip link set lo up && exec "$0" --disable-warning=ExperimentalWarning "$1" inside`
  const { status } = spawnSync('unshare', ['--net', 'sh', '-c', inside, process.execPath, import.meta.filename], {
    stdio: 'inherit',
  })
  process.exit(status ?? 1)
}

const lab = new BalancerLab()
try {
  const service = createServer((_, response) => response.end('x'.repeat(1_024)))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  lab.onClose(() => void service.close())
  const { port: target } = service.address() as AddressInfo
  const machines = new HaproxyLab(lab)
  const a = await machines.machine('a')
  const own = { public: false, loopback: address, port, name: `shop/${port}`, also: [] }
  await a.route(httpRoute({ service: 'shop', own, targets: [{ instance: 'shop-1', port: target, state: 'active' }] }))
  const name = { url: `http://${address}:${port}/`, pid: (await machines.workerOf('a')) ?? 0 }
  const plain = { url: `http://127.0.0.1:${plainPort}/`, pid: await plainHaproxy(machines.folder, target) }
  await calls(name, plain)
  await rules(name)
  await changes()
} finally {
  await lab.close()
}

interface Way {
  url: string
  /** The process of HAProxy. */
  pid: number
}

/** HAProxy as somebody would write it by hand for one service. */
async function plainHaproxy(parent: string, target: number): Promise<number> {
  const run = join(parent, 'plain')
  mkdirSync(run)
  const config = join(run, 'haproxy.cfg')
  const lines = [
    ...['global', '  maxconn 2000', 'defaults', '  mode http', '  timeout connect 5s', '  timeout client 1m'],
    ...['  timeout server 1m', 'frontend in', `  bind 127.0.0.1:${plainPort}`, '  default_backend out', 'backend out'],
    `  server one 127.0.0.1:${target} check`,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const master = join(run, 'master.sock')
  const process = childHaproxy({ master })
  await process.ensureStarted(config)
  lab.onClose(() => process.end())
  return (await new MasterSocket(master, 2_000).workers()).current ?? 0
}

async function calls(name: Way, plain: Way): Promise<void> {
  for (const [what, headers] of [
    ['kept-alive', []],
    ['a connection each', ['-H', 'Connection: close']],
  ] as const) {
    const found = { name: [] as Cost[], plain: [] as Cost[] }
    for (let round = 0; round <= rounds; round++) {
      const pair = { name: await cost(name, headers), plain: await cost(plain, headers) }
      if (round === 0) continue
      found.name.push(pair.name)
      found.plain.push(pair.plain)
    }
    const ratio = (of: keyof Cost): number =>
      median(found.name.map((one, index) => one[of] / (found.plain[index]?.[of] ?? NaN)))
    const us = (all: Cost[]): string => median(all.map(({ haproxyUs }) => haproxyUs)).toFixed(1)
    console.log(`calls, ${what}: HAProxy's CPU ${us(found.name)} us by name, ${us(found.plain)} us by a plain backend`)
    show('  CPU of HAProxy by name / plain', ratio('haproxyUs').toFixed(3), '1.15')
    show('  time of a call by name / plain, median', ratio('p50Ms').toFixed(3), '1.15')
  }
}

interface Cost {
  haproxyUs: number
  /** Client, HAProxy and service together. */
  allUs: number
  p50Ms: number
}

async function cost({ url, pid }: Way, headers: readonly string[] = []): Promise<Cost> {
  const before = { haproxy: cpuOf(pid), own: process.cpuUsage(), children: childrenCpu() }
  const argv = wrkArguments(seconds, url)
  const text = await execOrThrow([...argv.slice(0, -1), ...headers, url], { timeoutMs: 60_000 })
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  const haproxy = cpuOf(pid) - before.haproxy
  const { user, system } = process.cpuUsage(before.own)
  const all = haproxy + (user + system) / 1e6 + (childrenCpu() - before.children)
  return { haproxyUs: (haproxy * 1e6) / requests, allUs: (all * 1e6) / requests, p50Ms: parseWrk(text).p50Ms }
}

function cpuOf(pid: number): number {
  return cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

/** CPU seconds of children that have ended: `cutime` and `cstime` of proc(5). */
function childrenCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}

/** Rules of 100 services with two instances each, of which each uses two others. */
function manyRules(mode: TableRules['mode'] = 'enforce'): TableRules {
  const services = Array.from({ length: 100 }, (_, index) => ({
    uid: 60_000 + index,
    address: `127.77.2.${index + 1}`,
  }))
  const routes = [...services.map((one) => ({ address: one.address, port: 5_432 })), { address, port }]
  return {
    ...{ mode, free: [0], balancers: [0], users: [], routes, confined: [], metadata: [] },
    services: services.map(({ uid }) => uid),
    owners: services.flatMap(({ uid }, index) => [0, 1].map((slot) => ({ uid, port: 20_000 + 2 * index + slot }))),
    may: services.flatMap(({ uid }, index) =>
      [1, 2].map((step) => ({ uid, address: services[(index + step) % 100]?.address ?? '', port: 5_432 })),
    ),
  }
}

async function rules(name: Way): Promise<void> {
  const [bare, ruled] = [() => transact(without), () => transact(tableText(manyRules()))]
  const turns = { rounds, bare, ruled }
  const toService = { from: 60_000, listener: 0, address: '127.77.2.2', port: 5_432 }
  const toInstance = { from: 0, listener: 60_005, address: '127.0.0.1', port: 20_010 }
  console.log('rules of 100 services, more CPU than without')
  await bare()
  const requests: number[] = []
  for (let round = 0; round < rounds; round++) requests.push((await cost(name)).allUs)
  const wholeUs = median(requests)
  let moreUs = 0
  for (const connecting of [toService, toInstance])
    moreUs += (await socketCost('exchange', connecting, { ...turns, count: 100_000 })).moreUs
  show('  of a kept-alive request through HAProxy', `${((100 * moreUs) / wholeUs).toFixed(2)} %`, '2 %')
  console.log(`    ${moreUs.toFixed(2)} us for both exchanges, of ${wholeUs.toFixed(1)} us`)
  for (const [what, connecting] of [
    ['of a connection to a service', toService],
    ['of a connection from HAProxy to an instance', toInstance],
  ] as const) {
    const found = await socketCost('connection', connecting, { ...turns, count: 40_000 })
    show(`  ${what}`, `${found.moreUs.toFixed(2)} us`, '3 us')
    console.log(`    without ${found.bareUs.toFixed(1)} us, again without ${found.noiseUs.toFixed(2)} us more`)
  }
  await bare()
}

async function changes(): Promise<void> {
  const text = tableText(manyRules())
  await transact(text)
  const [whole, elements] = [await wall(() => transact(text)), await wall(() => transact(elementsText(manyRules())))]
  show('replace the rules of 100 services', `${whole.toFixed(1)} ms`, '60 ms')
  show('replace their elements', `${elements.toFixed(1)} ms`, '60 ms')
  await transact(without)
  mkdirSync(folder, { recursive: true })
  // A start adds a unit. That of an older instance goes at its own time.
  let port = 21_000
  const unit = (): GuardedUnit => ({ service: `s${++port % 20}`, user: 'games', port, networks: null })
  let units = Array.from({ length: 20 }, unit)
  const firewall = new NftFirewall({
    ...{ folder, units: () => units, ensureUser: async () => {}, userOf: () => 'games' },
    ...{ free: [], balancers: [], hasUnit: false },
  })
  await firewall.hold({ mode: 'enforce', users: [], routes: [] })
  const [starts, ends]: [number[], number[]] = [[], []]
  for (let round = 0; round < 31; round++) {
    units = [...units, unit()]
    starts.push(await timed(() => firewall.refresh()))
    units = units.slice(1)
    ends.push(await timed(() => firewall.refresh()))
  }
  show('a start waits for the port of its instance', `${median(starts).toFixed(1)} ms`, '10 ms')
  show('the removal of an instance waits', `${median(ends).toFixed(1)} ms`, '60 ms')
  await firewall.hold(null)
  rmSync(folder, { recursive: true, force: true })
}

async function wall(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 21; round++) times.push(await timed(work))
  return median(times)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function show(what: string, value: string, limit: string): void {
  console.log(`${what.padEnd(48)} ${value.padStart(10)}   at most ${limit}`)
}
