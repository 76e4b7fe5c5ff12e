import type { Status } from '../api/views.ts'
import { problem, type StandingProblem } from '../api/standingProblem.ts'

/** For this long a move is news: connections through the address were cut, and the former holder may need a look. */
const newsMs = 600_000

/** Virtual addresses that moved lately. `now`: ISO 8601. */
export const recentMoves = ({ addresses }: Pick<Status, 'addresses'>, now: string): StandingProblem[] =>
  addresses.flatMap(({ address, holder, since, from, why }) => {
    if (holder === null || from === null || from === holder || since === null) return []
    if (Date.parse(now) - Date.parse(since) > newsMs) return []
    const text = `${address} moved from ${from} to ${holder}; ${reported(why, from)}`
    return [problem({ tone: 'warn', word: 'moved', subject: address, text, since, machine: from })]
  })

/** `a: HAProxy does not run` is a report of then, from the machine that held it. */
const reported = (why: string, from: string): string =>
  why.startsWith(`${from}: `) ? `${from} reported: ${why.slice(from.length + 2)}` : why
