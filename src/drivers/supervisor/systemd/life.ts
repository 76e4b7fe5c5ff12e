import { constants } from 'node:os'
import type { ExitReason } from '../supervisor.ts'
import type { UnitState } from '../../../systemd/systemctl.ts'

/** The process of an instance as far as known: the process that runs, or the last one that ran. */
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

/** The next change after the known state. */
export type Change = { kind: 'ended'; ending: Ending } | { kind: 'began'; life: Life } | { kind: 'gaveUp' }

/** How a life ended, from a signal of systemd. systemd itself keeps only the ending of the newest life. */
export interface ToldEnding {
  pid: number
  code: number
  status: number
  /** systemd's result name, such as `oom-kill`. */
  result: string
}

/** Exit status in the place of a program whose credentials systemd cannot set up (systemd.exec(5)). */
export const noCredentials = 243

/** systemd could not set up the credentials of the program, which did not run. */
export const lacksCredentials = ({ code, status }: Pick<UnitState, 'code' | 'status'>): boolean =>
  code === 1 && status === noCredentials

/** States in which no process of a life of the unit is left. */
const over = [
  'auto-restart',
  'auto-restart-queued',
  'dead',
  'dead-before-auto-restart',
  'failed',
  'failed-before-auto-restart',
  'exited',
]

/** The main process is gone; perhaps systemd still stops the processes it left. */
export const mainHasEnded = (life: Life | null, state: UnitState): boolean =>
  state.lastPid === life?.pid && state.mainPid === 0 && state.code !== 0

/**
 * Returns the next change; the caller repeats the call until it returns `null`. Pure. Lives that began and ended
 * between two looks are skipped; the beginning of the newest life is reported even if it has already ended.
 */
export function nextChange(life: Life, state: UnitState | undefined, told: ToldEnding | undefined): Change | null {
  const { pid, invocation } = life
  const isAnother = state !== undefined && state.invocation !== '' && state.invocation !== invocation
  if (!life.running) {
    if (state && startsInVain(state)) return { kind: 'gaveUp' }
    if (!isAnother || state.lastPid === 0 || state.lastPid === pid) return null
    return { kind: 'began', life: { pid: state.lastPid, invocation: state.invocation, running: true } }
  }
  if (state === undefined || isAnother || (over.includes(state.sub) && state.lastPid !== pid)) {
    const ours = told?.pid === pid ? told : undefined
    return { kind: 'ended', ending: endingOf(pid, ours, ours?.result) }
  }
  return over.includes(state.sub) ? { kind: 'ended', ending: endingOf(pid, state, state.result) } : null
}

/**
 * systemd tries again and again, and cannot set up the credentials. If a command comes before the program, that one fails
 * with any step of the start, and no program has run.
 */
const startsInVain = (state: UnitState): boolean =>
  state.sub.startsWith('auto-restart') &&
  (lacksCredentials(state) || (state.code === 0 && state.lastPid === 0 && state.result === 'exit-code'))

/** Without a status the ending is unknown: no signal reported it, and systemd has forgotten it. */
export function endingOf(pid: number, ended: { code: number; status: number } | undefined, result = ''): Ending {
  if (!ended) return { pid, code: null, signal: null, reason: 'exit' }
  const { code, status } = ended
  if (code < 2) return { pid, code: status, signal: null, reason: result === 'oom-kill' ? 'oom' : 'exit' }
  return { pid, code: null, signal: signalName(status), reason: result === 'oom-kill' ? 'oom' : 'signal' }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}
