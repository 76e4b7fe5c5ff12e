import type { StandingProblem } from '../api/overview.ts'
import type { Status } from '../api/views.ts'
import { problem } from './problem.ts'

/** An address that no machine holds, or that two machines held. */
export function unheld({ address, holder, since, why, refused }: Status['addresses'][number]): StandingProblem[] {
  if (holder === null) {
    const text = `no machine holds ${address}: ${why}`
    return [problem({ tone: 'bad', word: 'no holder', subject: `no machine holds ${address}`, text, since })]
  }
  if (refused.length === 0) return []
  const subject = `${refused.join(' and ')} and ${holder}`
  const text = `${subject} do not hear each other: ${address} was given to ${holder}`
  return [problem({ tone: 'bad', word: 'disputed', subject, text, since, machine: holder })]
}
