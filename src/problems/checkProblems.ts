import type { Check } from '../api/checks.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'
import type { Status } from '../api/views.ts'

/** The word of a full disk. The numbers tell it minutes before a checkup. */
export const diskFull = 'disk full'

/**
 * Findings of checkups that neither the status nor `told` tells anyhow. They stand last: nothing of them stops a service
 * now.
 */
export function checkProblems(
  { machines }: Pick<Status, 'machines'>,
  checks: readonly Check[],
  told: readonly StandingProblem[] = [],
): StandingProblem[] {
  const full = new Set(told.flatMap(({ word, machine }) => (word === diskFull ? [machine] : [])))
  return checks.flatMap(({ machine, findings }) => {
    const isMachine = !machine.startsWith('(')
    const known = machines.find(({ name }) => name === machine)
    if (known?.state === 'lost') return []
    const reported = new Set(known?.problems.map(clause))
    const subject = isMachine ? `machine ${machine}` : 'controller'
    return findings
      .filter(({ level, area, what }) => level === 'wrong' && area !== 'report' && !reported.has(clause(what)))
      .filter(({ area }) => area !== 'disk' || !full.has(machine))
      .map(({ area, what, next }) =>
        problem({
          ...{ tone: 'warn', word: area, subject, text: `${subject}: ${what}` },
          ...{ next: next === null ? [] : [{ command: null, does: next }], machine: isMachine ? machine : null },
        }),
      )
  })
}

/** Its first clause: the machine's own report says the same fact with other consequences. */
const clause = (text: string): string => text.split(/[,:]/, 1)[0] ?? ''
