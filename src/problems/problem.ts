import type { StandingProblem } from '../api/overview.ts'

/** A problem with what is not said left empty. */
export const problem = (
  given: Pick<StandingProblem, 'tone' | 'word' | 'subject' | 'text'> & Partial<StandingProblem>,
): StandingProblem => ({ next: [], since: null, service: null, machine: null, instance: null, ...given })

/** The problem on one line, with its next steps. */
export const inOneLine = ({ text, next }: StandingProblem): string =>
  next.length === 0 ? text : `${text}; ${next.map(step).join(', ')}`

const step = ({ command, does }: StandingProblem['next'][number]): string =>
  [command, does].filter((part) => part !== null && part !== '').join(' ')
