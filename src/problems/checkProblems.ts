import type { Check } from '../api/checks.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'
import type { Status } from '../api/views.ts'

/** Findings of checkups that the status does not tell anyhow. They stand last: nothing of them stops a service now. */
export function checkProblems({ machines }: Pick<Status, 'machines'>, checks: readonly Check[]): StandingProblem[] {
  return checks.flatMap(({ machine, findings, at }) => {
    const isMachine = !machine.startsWith('(')
    if (machines.find(({ name }) => name === machine)?.state === 'lost') return []
    const subject = isMachine ? `machine ${machine}` : 'controller'
    return findings
      .filter(({ level, area }) => level === 'wrong' && area !== 'report')
      .map(({ area, what, next }) =>
        problem({
          ...{ tone: 'warn', word: area, subject, text: `${subject}: ${what}`, since: at },
          ...{ next: next === null ? [] : [{ command: null, does: next }], machine: isMachine ? machine : null },
        }),
      )
  })
}
