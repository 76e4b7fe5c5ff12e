import type { mapOperations } from '../../api/map.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { clusterMap, notCounted } from './view.ts'

export const mapHandlers = ({ controller }: Rooms): Handlers<keyof typeof mapOperations> => ({
  map: () => clusterMap(controller.state, notCounted, controller.now()),
})
