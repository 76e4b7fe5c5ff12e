import type { RolloutView } from '../../src/api/views.ts'
import { backAt, type Step } from './history.ts'

type Machine = RolloutView['machines'][number]
export type Phase = Machine['phases'][number]['phase']

export interface Bar {
  from: number
  /** `null`: it goes on. */
  to: number | null
  kind: 'forward' | 'back' | 'failed'
}

export interface PhaseRow {
  phase: Phase
  state: 'waiting' | 'running' | 'done' | 'reverted' | 'failed'
  bars: Bar[]
  /** Stands behind the last bar; `null`: nothing to say. */
  note: string | null
}

/** The phases that a rollout of this kind goes through on a machine, in their order. */
export function phasesOf({ kind, prepare, machines }: RolloutView): Phase[] {
  const seen = new Set(machines.flatMap(({ phases }) => phases.map(({ phase }) => phase)))
  const ends: Phase[] = ['switch', 'drain', 'stop']
  const begins: Phase[] = [
    'fetch',
    'prepare',
    'start',
    'probe',
    'switch',
    ...(kind === 'start' ? [] : (['drain', 'stop'] as const)),
  ]
  const usual = kind === 'stop' || kind === 'remove' ? ends : begins
  const all: Phase[] = ['fetch', 'prepare', 'start', 'probe', 'switch', 'drain', 'stop']
  return all.filter((phase) => (phase === 'prepare' ? prepare !== null : usual.includes(phase) || seen.has(phase)))
}

/** A row for each phase of a machine: its bars on the way forward and, in the same row, on the way back. */
export function phaseRows(rollout: RolloutView, part: Machine, steps: readonly Step[]): PhaseRow[] {
  const back = backAt(steps, part.machine)
  const failure = steps.find(
    (step) => step.type === 'TurnFinished' && step.machine === part.machine && step.outcome === 'failed',
  )
  const failedAt = failure !== undefined && (back === null || failure.at <= back) ? failure.at : null
  // The way back may begin in the same millisecond; its phases did not fail.
  const failed = failedAt === null ? undefined : part.phases.findLast((phase) => Date.parse(phase.startedAt) < failedAt)
  return phasesOf(rollout).map((phase) => {
    if (phase === 'prepare') return prepareRow(rollout, part.machine)
    const own = part.phases.filter((one) => one.phase === phase)
    const bars = own.map((one): Bar => {
      const from = Date.parse(one.startedAt)
      const kind = one === failed ? 'failed' : back !== null && from >= back ? 'back' : 'forward'
      return { from, to: one.finishedAt === null ? null : Date.parse(one.finishedAt), kind }
    })
    return {
      phase,
      state: stateOf(bars),
      bars,
      note: failed?.phase === phase ? causeOf(failure?.reason ?? null) : null,
    }
  })
}

function prepareRow({ prepare }: RolloutView, machine: string): PhaseRow {
  if (prepare === null || prepare.machine !== machine) {
    return {
      phase: 'prepare',
      state: 'waiting',
      bars: [],
      note: prepare === null ? null : `once, on ${prepare.machine}`,
    }
  }
  const bar: Bar = {
    from: Date.parse(prepare.startedAt),
    to: prepare.finishedAt === null ? null : Date.parse(prepare.finishedAt),
    kind: 'forward',
  }
  return { phase: 'prepare', state: stateOf([bar]), bars: [bar], note: null }
}

function stateOf(bars: readonly Bar[]): PhaseRow['state'] {
  if (bars.length === 0) return 'waiting'
  if (bars.some(({ to }) => to === null)) return 'running'
  if (bars.some(({ kind }) => kind === 'failed')) return 'failed'
  return bars.some(({ kind }) => kind === 'back') ? 'reverted' : 'done'
}

/** `instance shop-1-a-1 ended with status 1` becomes `ended with status 1`: the row says which machine. */
const causeOf = (reason: string | null): string | null => reason?.replace(/^instance \S+ /, '') ?? null

/** Instances that are replaced one by one make a bar each: more than two have no room. */
const mostTimes = 2

/** How long each bar of a row lasted, or how long all of many: `0.60 s · 0.55 s`, `6.12 s in 3`. */
export function tookAll(bars: readonly Bar[], now: number): string {
  if (bars.length <= mostTimes) return bars.map((bar) => took(bar, now)).join(' · ')
  const all = bars.reduce((sum, { from, to }) => sum + (to ?? now) - from, 0)
  return `${took({ from: 0, to: all }, now)} in ${bars.length}`
}

/** `0.60 s`, `12.4 s`, `2:07`: how long a phase took. */
export function took({ from, to }: Pick<Bar, 'from' | 'to'>, now: number): string {
  const s = Math.max(0, ((to ?? now) - from) / 1_000)
  if (s >= 100) return `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`
  return `${s.toFixed(s < 10 ? 2 : 1)} s`
}
