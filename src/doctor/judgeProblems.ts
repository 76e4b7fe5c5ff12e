import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'

/** Findings for the problems that an agent reports: the same text on the machine and in the cluster. */
export const judgeProblems = (problems: string[]): Finding[] =>
  problems.map((problem) =>
    wrong('report', problem, 'tandem status   shows whether the problem persists; see docs/operations.md'),
  )
