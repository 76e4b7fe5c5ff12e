import type { CallView, GuardView, WhyView } from '../../api/firewall.ts'
import type { Paint } from '../paint.ts'
import { seen as ago } from '../render/seen.ts'
import { renderTable } from '../render/table.ts'

const modes = {
  observe: 'observe: connections that no `uses` names are counted, and not refused',
  enforce: 'enforce: connections that no `uses` names are refused',
} as const

export function guardLines(guard: GuardView, now: number, paint: Paint): string[] {
  const { mode, machines, since } = guard
  if (mode === null) return ['nothing is guarded here: all services of a laptop run as one user']
  const unable = machines.filter(({ state }) => state !== 'enforcing' && state !== 'observing')
  return [
    modes[mode],
    ...unable.map(({ machine, why }) =>
      paint('yellow', `${machine} holds no rules: ${why ?? 'it has not reported any yet'}`),
    ),
    ...(since === null ? [] : [`counted since ${since}, at most 7 days`]),
    '',
    ...callLines(guard.calls, now, paint),
  ]
}

function callLines(calls: readonly CallView[], now: number, paint: Paint): string[] {
  if (calls.length === 0) return ['no connection between services was counted']
  const rows = calls.map(({ from, to, may, seen, refused }) => {
    const last = [seen?.last, refused?.last]
      .filter((one) => one !== undefined)
      .toSorted()
      .at(-1)
    return [
      from,
      to,
      seen === null ? '-' : `${seen.count}`,
      refused === null ? '-' : paint('red', `${refused.count}`),
      last === undefined ? '-' : ago(last, now),
      may ? 'yes' : paint('yellow', 'no'),
    ]
  })
  return renderTable(['FROM', 'TO', 'CONNECTIONS', 'REFUSED', 'LAST', 'MAY CONNECT'], rows, paint)
}

export const whyLines = ({ from, to, may, why, next, refused }: WhyView, paint: Paint): string[] => [
  `${from} ${may ? paint('green', 'may') : paint('red', 'may not')} connect to ${to}: ${why}`,
  ...(refused === null ? [] : [`refused ${refused.count} times in the last 7 days, last at ${refused.last}`]),
  ...(next === null ? [] : [`next  ${next}`]),
]

/** The connections that `enforce` would refuse, by the counts of the last week. */
export const refusedBy = (calls: readonly CallView[], users: readonly string[]): CallView[] =>
  calls.filter(({ from, may, refused }) => refused && !may && !users.includes(from.replace(/^user /, '')))

export function refusalLines(lost: readonly CallView[], paint: Paint): string[] {
  if (lost.length === 0) return ['`enforce` would refuse none of the connections of the last 7 days']
  const rows = lost.map(({ from, to, refused }) => [from, to, `${refused?.count ?? 0}`, refused?.last ?? '-'])
  return [
    paint('yellow', '`enforce` would refuse these connections of the last 7 days:'),
    ...renderTable(['FROM', 'TO', 'CONNECTIONS', 'LAST'], rows, paint),
  ]
}
