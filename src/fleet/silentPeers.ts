import type { Asked } from '../decision/base.ts'
import type { Observed } from '../decision/observed.ts'
import { isReachable } from './serving.ts'
import type { FleetState } from './state.ts'

/** Reachable machines whose balancers have not yet acknowledged the change requested at `since`. */
export function silentPeers(state: FleetState, observed: Observed, machine: string, since: Asked): string[] {
  return Object.keys(state.machines).filter((peer) => {
    if (peer === machine || !isReachable(state, peer)) return false
    const applied = observed[peer]?.report.applied.balancer
    return applied === undefined || applied < since.position
  })
}
