import { constants } from 'node:os'
import type { ExitReason } from '../supervisor.ts'
import type { UnitState } from './systemctl.ts'

/** What is known of the life of an instance's process: the one that runs, or the one that ran. */
export interface Life {
  pid: number
  invocation: string
  running: boolean
}

export interface Ending {
  pid: number
  code: number | null
  signal: string | null
  reason: ExitReason
}

/** What happened after what was known. */
export type Change = { kind: 'ended'; ending: Ending } | { kind: 'began'; life: Life }

/** How a life ended, as a signal of systemd told it: it shows that of the newest life only. */
export interface ToldEnding {
  pid: number
  code: number
  status: number
  /** systemd's word for it, such as `oom-kill`. */
  result: string
}

/** States in which nothing of a unit's life is left. */
const over = [
  'auto-restart',
  'auto-restart-queued',
  'dead',
  'dead-before-auto-restart',
  'failed',
  'failed-before-auto-restart',
  'exited',
]

/** Its main process is gone, and systemd ends what that left. */
export const mainHasEnded = (life: Life | null, state: UnitState): boolean =>
  state.lastPid === life?.pid && state.mainPid === 0 && state.code !== 0 && !over.includes(state.sub)

/**
 * The next thing that happened; asked again until it is `null`. Pure. Lives that were missed whole, between two looks, are
 * skipped; of the newest, the beginning is told even if it has ended already.
 */
export function nextChange(life: Life, state: UnitState | undefined, told: ToldEnding | undefined): Change | null {
  const { pid, invocation } = life
  const isAnother = state !== undefined && state.invocation !== '' && state.invocation !== invocation
  if (!life.running) {
    if (!isAnother || state.lastPid === 0 || state.lastPid === pid) return null
    return { kind: 'began', life: { pid: state.lastPid, invocation: state.invocation, running: true } }
  }
  if (state === undefined || isAnother || (over.includes(state.sub) && state.lastPid !== pid)) {
    const ours = told?.pid === pid ? told : undefined
    return { kind: 'ended', ending: endingOf(pid, ours, ours?.result) }
  }
  return over.includes(state.sub) ? { kind: 'ended', ending: endingOf(pid, state, state.result) } : null
}

/** Without a status nobody knows how it ended: no signal of it came, and systemd has forgotten it. */
export function endingOf(pid: number, ended: { code: number; status: number } | undefined, result = ''): Ending {
  if (!ended) return { pid, code: null, signal: null, reason: 'exit' }
  const { code, status } = ended
  if (code < 2) return { pid, code: status, signal: null, reason: result === 'oom-kill' ? 'oom' : 'exit' }
  return { pid, code: null, signal: signalName(status), reason: result === 'oom-kill' ? 'oom' : 'signal' }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}
