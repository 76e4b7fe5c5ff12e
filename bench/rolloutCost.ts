import type { Pushed } from '../test/system/rollUnderLoad.ts'
import { median } from './median.ts'

const phases = ['fetch', 'prepare', 'start', 'probe', 'switch', 'drain', 'stop'] as const

/** Times of one rollout over two machines, in ms: sums over both, except `fetch`, which both do at the same time. */
export interface RolloutCost {
  /** From the accepted publish until all machines are done. */
  totalMs: number
  /** The service's own time from exec to listening, from its log. */
  bootMs: number
  /** Time until the last old request has ended. */
  drainMs: number
  phases: Record<string, number>
}

interface EventLine {
  type: string
  at: string
  data: { release?: string; rollout?: string }
}

/** `events` and `logs` are lines of `tandem events --json` and `tandem logs web --json`, of test/services/web.mjs. */
export function rolloutCost({ release, rollout }: Pushed, events: string[], logs: string[]): RolloutCost {
  if (!rollout) throw new Error('there was no rollout')
  const parsed = events.map((text) => JSON.parse(text) as EventLine) // the documented type
  const published = parsed.find(({ type, data }) => type === 'ReleasePublished' && data.release === release)
  const finished = parsed.find(({ type, data }) => type === 'RolloutFinished' && data.rollout === rollout.id)
  if (!published || !finished) throw new Error('the event log lacks the rollout')
  const sums: Record<string, number> = {}
  for (const machine of rollout.machines) {
    for (const { phase, startedAt, finishedAt } of machine.phases) {
      const took = Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt)
      // Every machine fetches at the same time: the slower one counts.
      sums[phase] = phase === 'fetch' ? Math.max(sums[phase] ?? 0, took) : (sums[phase] ?? 0) + took
    }
  }
  const boots = bootTimes(rollout.id, logs)
  if (boots.length !== rollout.machines.length) {
    throw new Error(`${boots.length} instances of ${rollout.id} logged their boot, not ${rollout.machines.length}`)
  }
  return {
    totalMs: Date.parse(finished.at) - Date.parse(published.at),
    bootMs: boots.reduce((sum, one) => sum + one, 0),
    drainMs: sums['drain'] ?? 0,
    phases: sums,
  }
}

/** Without the service's own times. */
export const fixedMsOf = (costs: RolloutCost[]): number =>
  median(costs.map(({ totalMs, bootMs, drainMs }) => totalMs - bootMs - drainMs))

export function printRolloutCosts(costs: RolloutCost[]): void {
  const of = (pick: (one: RolloutCost) => number): number => median(costs.map(pick))
  const fixedMs = fixedMsOf(costs)
  console.log('medians, ms                      both machines    a machine')
  row(
    'publish accepted to all done',
    of(({ totalMs }) => totalMs),
  )
  row(
    '  less boot of the service',
    of(({ bootMs }) => bootMs),
  )
  row(
    '  less real drain',
    of(({ drainMs }) => drainMs),
  )
  row('fixed cost', fixedMs)
  for (const phase of phases) {
    const note = phase === 'fetch' ? ' (both at once)' : phase === 'start' ? ' (boot: here and in probe)' : ''
    row(
      `  ${phase}${note}`,
      of((one) => one.phases[phase] ?? 0),
    )
  }
}

function row(name: string, ms: number): void {
  console.log(`${name.padEnd(32)} ${ms.toFixed(0).padStart(13)} ${(ms / 2).toFixed(0).padStart(12)}`)
}

/** Time from exec to listening that each instance of the rollout logged. */
function bootTimes(rollout: string, logs: string[]): number[] {
  return logs.flatMap((line) => {
    const { instance, text } = JSON.parse(line) as { instance?: string; text?: string } // the documented type
    if (!instance?.includes(rollout) || !text?.startsWith('{"listening"')) return []
    return [(JSON.parse(text) as { booted: number }).booted] // web.mjs
  })
}
