import type { mapOperations } from '../../api/map.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import type { State } from '../../rollout/state.ts'
import { callsIn, type CallCounts } from '../firewall/callCounts.ts'
import { clusterMap, type Counts } from './view.ts'

export const mapHandlers = ({ controller, calls }: Rooms): Handlers<keyof typeof mapOperations> => ({
  map: () => clusterMap(controller.state, betweenServices(controller.state, calls.counts), controller.now()),
})

/** A connection of another user of a machine is no edge: `tandem firewall show` lists it. */
function betweenServices({ services }: State, counts: CallCounts): Counts {
  const edges = callsIn(counts).filter(({ from, to }) => Object.hasOwn(services, from) && Object.hasOwn(services, to))
  return { since: counts.since, edges }
}
