import { wrong } from '../../doctor/findings.ts'
import { mergeCheckups } from '../../doctor/mergeCheckups.ts'
import type { Checkup } from '../../protocol/checkup.ts'
import { firewallArea } from '../../protocol/firewall.ts'
import type { Observed } from '../../decision/observed.ts'
import type { State } from '../../rollout/state.ts'
import type { CallCounts } from './callCounts.ts'
import { guardView } from './view.ts'

/** A pair that was refused longer ago is no finding any more. */
const newMs = 24 * 3_600_000

/** The controller's checkup, with the pairs that were refused in the last day and still are. */
export function withRefusals(own: Checkup, state: State, observed: Observed, counts: CallCounts, now: number): Checkup {
  const { mode, calls } = guardView(state, observed, counts)
  if (mode !== 'enforce') return own
  const findings = calls.flatMap(({ from, to, may, refused }) => {
    if (may || refused === null || now - Date.parse(refused.last) > newMs) return []
    const what = `${from} was refused ${refused.count} connections to ${to}, last at ${refused.last}`
    return [wrong(firewallArea, what, `tandem firewall why ${from.replace(/^user /, '')} ${to}`)]
  })
  return mergeCheckups(own, { machine: own.machine, checked: [firewallArea], findings })
}
