import type { Status } from '../api/views.ts'
import { reportedBy } from '../lib/reportedBy.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'

/** For this long a move is news: connections through the address were cut, and the former holder may need a look. */
const newsMs = 600_000

/** Virtual addresses that moved lately. `now`: ISO 8601. */
export const recentMoves = ({ addresses }: Pick<Status, 'addresses'>, now: string): StandingProblem[] =>
  addresses.flatMap(({ address, holder, since, from, why }) => {
    if (holder === null || from === null || from === holder || since === null) return []
    if (Date.parse(now) - Date.parse(since) > newsMs) return []
    const text = `${address} moved from ${from} to ${holder}; ${reportedBy(from, why)}`
    return [problem({ tone: 'warn', word: 'moved', subject: address, text, since, machine: from })]
  })
