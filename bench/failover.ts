import { FailoverLab } from '../test/lab/failoverLab.ts'
import type { LabMachine } from '../test/lab/labMachine.ts'
import { longestSilence } from '../test/lab/probe.ts'
import { whyNoLab } from '../test/lab/requirements.ts'
import { quantile } from './median.ts'
import { PlainFailover } from './plainFailover.ts'

/*
 * Outage of the virtual address and number of failed requests for each fault, under 500 requests a second, each on a
 * new connection, compared with keepalived and HAProxy in a usual manual configuration. `RUNS` of each (30), `FAULTS`
 * (a part of their names), `ONLY` (tandem or plain), `MOVES_WITHIN` (ms to wait for a move), `ADVERT` (seconds between
 * two advertisements of the plain keepalived, 1). A computer with few processors shares them among three machines and
 * the load, which affects single runs.
 */

const runs = Number(process.env['RUNS'] ?? 30)
const wantedFaults = process.env['FAULTS'] ?? ''
const only = process.env['ONLY'] ?? ''
/** The load runs for this long before the fault, and after the other machine has the address. */
const beforeMs = 300
const afterMs = 1_200
/** With the manual configuration, some faults never move the address, or leave it with both; the run then ends here. */
const movesWithinMs = Number(process.env['MOVES_WITHIN'] ?? 10_000)
const lookMs = 20

type Contender = FailoverLab | PlainFailover
type Fault = (contender: Contender, holder: LabMachine) => Promise<void>

const faults: Record<string, Fault> = {
  'power loss': async (contender, holder) => {
    contender.watch.gone(holder.name)
    await holder.kill()
  },
  'kill -9 keepalived': (contender, holder) => contender.signal(holder, 'tandem-keepalived', 'KILL'),
  'kill -STOP keepalived': (contender, holder) => contender.signal(holder, 'tandem-keepalived', 'STOP'),
  'kill -9 haproxy': (contender, holder) => contender.signal(holder, 'tandem-haproxy', 'KILL'),
  'kill -STOP haproxy': (contender, holder) => contender.signal(holder, 'tandem-haproxy', 'STOP'),
  'kill -9 both': (contender, holder) => both(contender, holder, 'KILL'),
  'kill -STOP both': (contender, holder) => both(contender, holder, 'STOP'),
  'one-way cut': (contender, holder) => contender.network.cutOneWay(holder.name, otherThan(holder)),
  'planned drain': (contender) => contender.drain(),
}

interface Run {
  why: string[]
  silenceMs: number
  failed: number
  bothMs: number
}

const why = whyNoLab()
if (why) {
  console.error(`bench-failover boots machines and cannot here: ${why}`)
  process.exit(1)
}
const contenders: [string, () => Promise<Contender>][] = [
  ['tandem', () => FailoverLab.open()],
  ['plain', () => PlainFailover.open()],
]
console.log(`${runs} runs each; ms without an answer, requests failed, ms held by both: median / p90 / most`)
for (const [name, open] of contenders) {
  if (only !== '' && only !== name) continue
  const contender = await open()
  try {
    for (const [what, fault] of Object.entries(faults)) {
      if (!what.includes(wantedFaults)) continue
      const all: Run[] = []
      for (let run = 0; run < runs; run++) all.push(await tried(contender, fault))
      print(name, what, all)
    }
  } finally {
    await contender.close()
  }
}

async function tried(contender: Contender, fault: Fault): Promise<Run> {
  await contender.repair()
  const { holder, watch } = contender
  const probe = contender.probe()
  try {
    await probe.answered()
    await pause(beforeMs)
    const from = Date.now()
    await fault(contender, holder)
    const hasMoved = (): boolean => watch.took(otherThan(holder), from) !== null && watch.holders.length === 1
    while (!hasMoved() && Date.now() - from < movesWithinMs) await pause(lookMs)
    await pause(afterMs)
    const probed = await probe.stop()
    const silence = longestSilence(probed, from)
    return {
      silenceMs: Number.isFinite(silence) ? silence : movesWithinMs,
      failed: probed.failures.length,
      why: [...new Set(probed.failures.map((failure) => failure.why))],
      bothMs: watch.longestBoth(from),
    }
  } finally {
    probe.kill()
  }
}

async function both(contender: Contender, holder: LabMachine, signal: 'KILL' | 'STOP'): Promise<void> {
  await Promise.all(['tandem-haproxy', 'tandem-keepalived'].map((unit) => contender.signal(holder, unit, signal)))
}

function otherThan(holder: LabMachine): string {
  return holder.name === 'a' ? 'b' : 'a'
}

function print(name: string, what: string, all: Run[]): void {
  const spread = (pick: (run: Run) => number): string =>
    [0.5, 0.9, 1].map((part) => quantile(all.map(pick), part).toFixed(0).padStart(6)).join(' ')
  const cells = [spread((run) => run.silenceMs), spread((run) => run.failed), spread((run) => run.bothMs)]
  console.log(`${name.padEnd(7)} ${what.padEnd(22)} ${cells.join('  |')}`)
  console.log(`        ${[...new Set(all.flatMap(({ why }) => why))].join('; ')}`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
