import type { Finding } from '../protocol/checkup.ts'
import { unchecked, wrong } from './findings.ts'
import { judgeProblems } from './judgeProblems.ts'
import { judgeAgentVersion } from './judgeVersions.ts'

/** Facts about a machine that only the controller can know. Times in ms. */
export interface Member {
  machine: string
  state: 'ready' | 'draining' | 'drained' | 'lost'
  /** Age of the last report; `null` if none came since the controller started. */
  reportAgeMs: number | null
  version: string | null
  controllerVersion: string
  /** Problems in the last report. */
  problems: string[]
  /**
   * The machine's clock minus the controller's, and the duration of the request; the offset may be wrong by half the
   * duration.
   */
  clock: { offsetMs: number; roundTripMs: number } | null
  /** Why the machine did not answer; `null` if it did. */
  silent: string | null
}

/** Logs of two machines are compared by time, and a certificate is valid from one hour before it was made. */
const mostOffsetMs = 500
const lateReportMs = 10_000

export function judgeMember(member: Member): Finding[] {
  const { state, reportAgeMs, version, controllerVersion, problems, silent } = member
  return [
    ...judgeReport(member.machine, state, reportAgeMs),
    ...(silent === null ? [] : [unchecked('agent', silent)]),
    ...(version === null ? [] : judgeAgentVersion(version, controllerVersion)),
    ...judgeOffset(member),
    ...judgeProblems(problems),
  ]
}

function judgeReport(machine: string, state: Member['state'], ageMs: number | null): Finding[] {
  if (ageMs === null)
    return [wrong('report', 'the machine has not reported since the controller started', look(machine))]
  if (state !== 'lost' && ageMs <= lateReportMs) return []
  return [wrong('report', `the last report came ${Math.round(ageMs / 1000)} s ago`, look(machine))]
}

const look = (machine: string): string => `on ${machine}: systemctl status tandem-agent.service; tandem doctor`

function judgeOffset({ clock }: Member): Finding[] {
  if (clock === null) return []
  const { offsetMs, roundTripMs } = clock
  if (Math.abs(offsetMs) <= mostOffsetMs + roundTripMs / 2) return []
  const [amount, which] = [`${(Math.abs(offsetMs) / 1000).toFixed(1)} s`, offsetMs > 0 ? 'ahead of' : 'behind']
  const what = `the clock is ${amount} ${which} the controller's (measured within ${Math.ceil(roundTripMs / 2)} ms)`
  return [wrong('clock', what, 'timedatectl   on both machines; start the time service')]
}
