import type { namesOperations } from '../../api/names.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { namedServices } from './view.ts'

export const namesHandlers = ({ controller }: Rooms): Handlers<keyof typeof namesOperations> => ({
  names: () => ({ names: namedServices(controller.state, controller.observed) }),
})
