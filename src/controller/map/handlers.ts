import type { mapOperations } from '../../api/map.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import type { State } from '../../rollout/state.ts'
import { clusterMap, type Counts } from './view.ts'

export const mapHandlers = ({ controller, calls }: Rooms): Handlers<keyof typeof mapOperations> => ({
  map: () => clusterMap(controller.state, betweenServices(controller.state, calls), controller.now()),
})

/** A connection of another user of a machine is no edge: `tandem firewall show` lists it. */
function betweenServices({ services }: State, { counts: { since }, all }: Rooms['calls']): Counts {
  const edges = all.filter(({ from, to }) => Object.hasOwn(services, from) && Object.hasOwn(services, to))
  return { since, edges }
}
