import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'

/** What an agent says it could not do: the same words on the machine and in the cluster. */
export const judgeProblems = (problems: string[]): Finding[] =>
  problems.map((problem) =>
    wrong('report', problem, 'tandem status   shows when it is over; docs/operations.md says more'),
  )
