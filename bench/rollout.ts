import { Laptop } from '../test/system/laptop.ts'
import { Load } from '../test/system/load.ts'
import type { Pushed } from '../test/system/rollUnderLoad.ts'
import { median } from './median.ts'

/*
 * The fixed cost of a rollout over two machines: from the publish being accepted to both machines done, less what is the
 * service's own: boot (from exec to listening, as it logs it) and real drain (until the last old request had ended).
 * Under a light load of short requests, so that there is something to drain.
 */

const rounds = Number(process.env['ROUNDS'] ?? 15)
const phases = ['fetch', 'start', 'probe', 'switch', 'drain', 'stop'] as const

interface Measured {
  totalMs: number
  bootMs: number
  drainMs: number
  phases: Record<string, number>
}

interface EventLine {
  type: string
  at: string
  data: { release?: string; rollout?: string }
}

const laptop = await Laptop.start()
try {
  await push(0)
  const load = new Load({ entries: Object.values(laptop.entries), perSecond: 50, shortOnly: true })
  load.start()
  const measured: Measured[] = []
  for (let round = 1; round <= rounds; round++) measured.push(await measure(await push(round)))
  const { failures, requests } = await load.stop()

  const of = (pick: (one: Measured) => number): number => median(measured.map(pick))
  console.log(`rollouts of two machines: ${rounds}, requests meanwhile: ${requests}, failed: ${failures.length}`)
  console.log('medians, ms                      both machines    a machine')
  row(
    'publish accepted to all done',
    of((one) => one.totalMs),
  )
  row(
    '  less boot of the service',
    of((one) => one.bootMs),
  )
  row(
    '  less real drain',
    of((one) => one.drainMs),
  )
  row(
    'fixed cost',
    of((one) => one.totalMs - one.bootMs - one.drainMs),
  )
  for (const phase of phases)
    row(
      `  ${phase}${phase === 'fetch' ? ' (both at once)' : ''}`,
      of((one) => one.phases[phase] ?? 0),
    )
} finally {
  await laptop.remove()
}

function row(name: string, ms: number): void {
  console.log(`${name.padEnd(32)} ${ms.toFixed(0).padStart(13)} ${(ms / 2).toFixed(0).padStart(12)}`)
}

async function push(version: number): Promise<Pushed> {
  const text = `service: web\nrun: [node, web.mjs]\nenv: { VERSION: "${version}" }\n`
  const pushed = await laptop.json<Pushed>('push', laptop.service('web', text))
  if (pushed.exit !== 0) throw new Error(`push failed: ${JSON.stringify(pushed)}`)
  return pushed
}

async function measure({ release, rollout }: Pushed): Promise<Measured> {
  if (!rollout) throw new Error('nothing was rolled')
  const events = (await laptop.run('events', '--json')).out.map((text) => JSON.parse(text) as EventLine) // the contract
  const published = events.find(({ type, data }) => type === 'ReleasePublished' && data.release === release)
  const finished = events.find(({ type, data }) => type === 'RolloutFinished' && data.rollout === rollout.id)
  if (!published || !finished) throw new Error('the event log lacks the rollout')
  const sums: Record<string, number> = {}
  for (const machine of rollout.machines) {
    for (const { phase, startedAt, finishedAt } of machine.phases) {
      const took = Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt)
      // Every machine fetches at the same time: the slower one counts.
      sums[phase] = phase === 'fetch' ? Math.max(sums[phase] ?? 0, took) : (sums[phase] ?? 0) + took
    }
  }
  return {
    totalMs: Date.parse(finished.at) - Date.parse(published.at),
    bootMs: await bootTimes(rollout.id),
    drainMs: sums['drain'] ?? 0,
    phases: sums,
  }
}

/** The sum over both machines of what the service says it took from exec to listening. */
async function bootTimes(rollout: string): Promise<number> {
  const { out } = await laptop.run('logs', 'web', '--json', '--since', '1m')
  let sum = 0
  for (const text of out) {
    const { instance, text: said } = JSON.parse(text) as { instance?: string; text?: string } // the contract
    if (!instance?.includes(rollout) || !said?.startsWith('{"listening"')) continue
    sum += (JSON.parse(said) as { booted: number }).booted // web.mjs
  }
  return sum
}
