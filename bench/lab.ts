import { ClientLoad } from '../test/lab/clientLoad.ts'
import { execOrThrow } from '../src/lib/exec.ts'
import { entryPort, Pair } from '../test/lab/pair.ts'
import { whyNoLab } from '../test/lab/requirements.ts'
import { failuresOf, type Pushed } from '../test/system/rollUnderLoad.ts'
import type { Status } from '../src/api/views.ts'
import { median, quantile } from './median.ts'
import { printRolloutCosts, rolloutCost, type RolloutCost } from './rolloutCost.ts'
import { compareSwarm } from './swarm.ts'
import { installWrk, parseWrk, wrkArguments, type Throughput } from './wrk.ts'

/*
 * Cost on a pair of real machines (systemd, HAProxy, TLS between them): the fixed cost of a rollout phase by phase, and
 * the throughput and latency of a trivial service directly, through the local HAProxy, and through the peer's over TLS.
 * Everything shares this computer's processors, also the load: compare the three paths only with each other.
 */

const rounds = Number(process.env['ROUNDS'] ?? 12)
const perSecond = 50
const answerMs = 10_000
const wrkSeconds = Number(process.env['SECONDS_LOAD'] ?? 5)
const wrkRounds = Number(process.env['ROUNDS_LOAD'] ?? 3)

const why = whyNoLab()
if (why) {
  console.error(`bench-lab boots machines and cannot here: ${why}`)
  process.exit(1)
}
await installWrk()
const pair = await Pair.open()
try {
  await rollouts()
  await throughput()
} finally {
  await pair.close()
}
await compareSwarm(rounds, perSecond)

async function rollouts(): Promise<void> {
  await push('web', 0)
  const load = new ClientLoad(pair.lab, { entries: pair.entries, perSecond, shortOnly: true })
  const costs: RolloutCost[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      const pushed = await push('web', round)
      const [events, logs] = [await lines('events'), await lines('logs', 'web', '--since', '1m')]
      costs.push(rolloutCost(pushed, events, logs))
    }
    const result = await load.stop()
    console.log(
      `rollouts of two machines: ${rounds}, requests meanwhile: ${result.requests}, failed: ${result.failures.length}`,
    )
    for (const failure of failuresOf(result)) console.log(`  ${failure}`)
  } finally {
    load.kill()
  }
  printRolloutCosts(costs)
  const each = costs.map(({ totalMs, bootMs, drainMs }) => (totalMs - bootMs - drainMs) / 2)
  const spread = [0, 0.9, 1].map((part) => quantile(each, part).toFixed(0))
  console.log(
    `fixed cost a machine: least ${spread[0]}, p90 ${spread[1]}, most ${spread[2]} ms; the target is at most 500`,
  )
}

async function throughput(): Promise<void> {
  await push('far', 0, 'machines: [b]\nroutes: [{ path: /far }]\n')
  const { services } = await pair.tandem<Status>('status')
  const instance = services.find(({ service }) => service === 'web')?.instances.find(({ machine }) => machine === 'a')
  if (!instance?.port) throw new Error('no instance of web on a has a port')
  const ways: Record<string, string> = {
    'direct, on loopback': `http://127.0.0.1:${instance.port}/`,
    "through a's HAProxy": `http://127.0.0.1:${entryPort}/`,
    "through a's and b's, TLS between": `http://127.0.0.1:${entryPort}/far`,
  }
  const found = new Map<string, Throughput[]>()
  await answered(`http://127.0.0.1:${entryPort}/far`)
  for (const url of Object.values(ways)) await ask(1, url) // warms up
  for (let round = 0; round < wrkRounds; round++) {
    for (const [way, url] of Object.entries(ways))
      found.set(way, [...(found.get(way) ?? []), await ask(wrkSeconds, url)])
  }
  console.log(`\non machine a: ${wrkArguments(wrkSeconds, 'URL').join(' ')} (medians of ${wrkRounds}, alternating)`)
  console.log('way                              requests/s   p50 ms   p99 ms')
  for (const [way, all] of found) {
    const of = (pick: (one: Throughput) => number): number => median(all.map(pick))
    const cells = [
      of((one) => one.perSecond)
        .toFixed(0)
        .padStart(10),
      of((one) => one.p50Ms)
        .toFixed(2)
        .padStart(8),
      of((one) => one.p99Ms)
        .toFixed(2)
        .padStart(8),
    ]
    console.log(`${way.padEnd(32)} ${cells.join(' ')}`)
  }
}

/** A peer is used once its check has succeeded. */
async function answered(url: string): Promise<void> {
  const deadline = performance.now() + answerMs
  for (;;) {
    const { out } = await pair.lab.machine('a').run(['curl', '-s', '-w', ' %{http_code}', '--max-time', '5', url])
    if (out.endsWith(' 200')) return
    if (performance.now() > deadline) throw new Error(`${url} on machine a did not answer in ${answerMs} ms: ${out}`)
  }
}

/** Runs a program of this computer on machine a's network. */
async function ask(seconds: number, url: string): Promise<Throughput> {
  const network = `--net=/run/netns/${pair.lab.network.namespaceOf('a')}`
  const out = await execOrThrow(['nsenter', network, '--', ...wrkArguments(seconds, url)])
  try {
    return parseWrk(out)
  } catch (cause) {
    throw new Error(`load at ${url} on machine a`, { cause })
  }
}

async function push(name: string, version: number, more = ''): Promise<Pushed> {
  const text = `service: ${name}\nrun: [node, web.mjs]\nenv: { VERSION: "${version}" }\n${more}`
  const pushed = await pair.push(name, text)
  if (pushed.exit !== 0) throw new Error(`push failed: ${JSON.stringify(pushed)}`)
  return pushed
}

/** Lines of output of `tandem ARGS --json`. */
async function lines(...args: string[]): Promise<string[]> {
  return (await pair.controller.must(['tandem', ...args, '--json'])).split('\n').filter(Boolean)
}
