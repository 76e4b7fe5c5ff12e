import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { bundle } from '../packaging/bundle.ts'
import { Laptop } from '../test/system/laptop.ts'
import type { Pushed } from '../test/system/rollUnderLoad.ts'
import { writeLongHistory } from './longHistory.ts'
import { median } from './median.ts'
import { cpuSecondsIn, residentMegabytesIn } from './processCost.ts'
import { fixedMsOf } from './rolloutCost.ts'
import { rolloutRounds } from './rolloutRounds.ts'

/*
 * Costs that may grow with the history and with the number of services, of a pair on this computer:
 *   events    start of the controller alone (from spawn until it answers), its memory, the fixed cost of a rollout, and
 *             the wall time of `tandem status` and `tandem rollouts`, with event logs of the given lengths
 *   services  the same costs, and memory and CPU time of the idle parts, with the given numbers of services
 * `EVENTS=0,100000,1000000`, `SERVICES=2,20,200` (empty: skip), ROUNDS, SECONDS_IDLE, SECONDS_SETTLE. Measures the bundle.
 */

const numbersIn = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number))
const lengths = numbersIn(process.env['EVENTS'] ?? '0,100000,1000000')
const serviceCounts = numbersIn(process.env['SERVICES'] ?? '2,20,200')
const rounds = Number(process.env['ROUNDS'] ?? 9)
const idleSeconds = Number(process.env['SECONDS_IDLE'] ?? 30)
const settleSeconds = Number(process.env['SECONDS_SETTLE'] ?? 60)
/** Services that are pushed at the same time. */
const pushers = 4

/** A small server, so that two machines with many services fit on one computer. */
const program = String.raw`use Socket; $SIG{TERM} = sub { exit 0 }; socket(S, PF_INET, SOCK_STREAM, 6); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
bind(S, sockaddr_in($ENV{PORT}, inet_aton($ENV{HOST}))); listen(S, 64);
while (accept(C, S)) { sysread(C, $_, 4096); syswrite(C, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"); close C }`

const { main } = await bundle(join(import.meta.dirname, '../tmp/bundle'))

if (lengths.length > 0) {
  console.log(
    ['events', 'first ms', 'start ms', 'memory MB', 'rollout ms', 'status ms', 'rollouts ms']
      .map((name) => name.padStart(12))
      .join(''),
  )
  for (const length of lengths) await withEvents(length)
}
if (serviceCounts.length > 0) {
  const heads = ['services', 'rollout ms', 'status ms']
  const pairs = ['ms/rollout', 'MB', 'CPU %'].flatMap((what) => [`a's ${what}`, `c's ${what}`])
  console.log([...heads, ...pairs].map((name) => name.padStart(12)).join(''))
  console.log("(a's: of the agent; c's: of the controller; ms/rollout: CPU time)")
  for (const count of serviceCounts) await withServices(count)
}

async function withEvents(length: number): Promise<void> {
  let firstMs = 0
  const prepare = async (data: string): Promise<void> => {
    const folder = join(data, 'controller')
    if (length > 0) await writeLongHistory(join(folder, 'controller.db'), length)
    firstMs = await startController(folder)
  }
  const laptop = await Laptop.start({ main, prepare })
  try {
    const { costs } = await rolloutRounds(laptop, rounds)
    const [statusMs, rolloutsMs] = [await commandMs(laptop, 'status'), await commandMs(laptop, 'rollouts')]
    const memory = residentMegabytes(laptop.pidOf('controller'))
    await laptop.down()
    const starts: number[] = []
    for (let round = 0; round < rounds; round++) {
      starts.push(await startController(join(laptop.folder, 'data/controller')))
    }
    const row = [length, firstMs, median(starts), memory, fixedMsOf(costs), statusMs, rolloutsMs]
    console.log(row.map((value) => value.toFixed(0).padStart(12)).join(''))
  } finally {
    await laptop.remove()
  }
}

async function withServices(count: number): Promise<void> {
  const laptop = await Laptop.start({ main })
  try {
    await rolloutRounds(laptop, 0)
    const names = Array.from({ length: count - 1 }, (_, index) => `small${index}`)
    await Promise.all(Array.from({ length: pushers }, (_, first) => pushEach(laptop, names, first)))
    const parts = [laptop.pidOf('a'), laptop.pidOf('controller')]
    const busy = parts.map(cpuSeconds)
    const { costs } = await rolloutRounds(laptop, rounds)
    const perRollout = since(parts, busy).map((seconds) => ((seconds * 1_000) / (rounds + 1)).toFixed(0))
    const statusMs = await commandMs(laptop, 'status')
    await pause(settleSeconds * 1_000)
    const idle = parts.map(cpuSeconds)
    await pause(idleSeconds * 1_000)
    const percents = since(parts, idle).map((seconds) => ((100 * seconds) / idleSeconds).toFixed(2))
    const megabytes = parts.map((pid) => residentMegabytes(pid).toFixed(0))
    const row = [...[count, fixedMsOf(costs), statusMs].map((value) => value.toFixed(0)), ...perRollout, ...megabytes]
    console.log([...row, ...percents].map((value) => value.padStart(12)).join(''))
  } finally {
    await laptop.remove()
  }
}

/** Seconds of CPU time that each process has used since. */
function since(pids: number[], before: number[]): number[] {
  return pids.map((pid, index) => cpuSeconds(pid) - (before[index] ?? 0))
}

async function pushEach(laptop: Laptop, names: string[], first: number): Promise<void> {
  for (let index = first; index < names.length; index += pushers) {
    const name = names[index] ?? ''
    const text = `service: ${name}\nrun: [perl, -e, ${JSON.stringify(program)}]\nroutes: [{ path: /${name} }]\n`
    const { exit, ...pushed } = await laptop.json<Pushed>('push', laptop.service(name, text))
    if (exit !== 0) throw new Error(`push failed: ${JSON.stringify(pushed)}`)
  }
}

/** Milliseconds from spawn until the controller accepts work. Ends it again. */
async function startController(folder: string): Promise<number> {
  mkdirSync(folder, { recursive: true })
  const args = ['controller', 'run', '--json', '--cluster', 'local', '--laptop', '--data', folder, '--port', '0']
  const startedAt = performance.now()
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const message = await Promise.race([once(child, 'message'), exited.then(() => null)])
  if (message === null) throw new Error('the controller ended before it was ready')
  const took = performance.now() - startedAt
  child.kill()
  await exited
  return took
}

async function commandMs(laptop: Laptop, command: string): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    const { code } = await laptop.run(command)
    if (code !== 0) throw new Error(`tandem ${command} ended with ${code}`)
    times.push(performance.now() - startedAt)
  }
  return median(times)
}

function cpuSeconds(pid: number): number {
  return cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

function residentMegabytes(pid: number): number {
  return residentMegabytesIn(readFileSync(`/proc/${pid}/status`, 'utf8'))
}
