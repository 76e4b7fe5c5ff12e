import type { Event } from '../events/event.ts'
import type { Report } from '../protocol/report.ts'
import { pairOf, type FirewallWorld } from './state.ts'

/** Most pairs in the log: a machine that is not what it should be could name any callers. */
const mostPairs = 1_000

/** The first refused connection of each pair, which a report shows and the log does not know yet. */
export function refusalsIn({ refusedCalls, services }: FirewallWorld, { machine, firewall }: Report): Event[] {
  if (firewall.state !== 'observing' && firewall.state !== 'enforcing') return []
  const enforced = firewall.state === 'enforcing'
  const left = mostPairs - Object.keys(refusedCalls).length
  return firewall.calls
    .filter(
      ({ from, to, refused }) =>
        refused > 0 && Object.hasOwn(services, to) && !Object.hasOwn(refusedCalls, pairOf(from, to)),
    )
    .slice(0, Math.max(0, left))
    .map(({ from, to, port }) => ({ type: 'ConnectionRefused', data: { from, to, machine, port, enforced } }))
}
