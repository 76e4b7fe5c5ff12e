import type { upgradeOperations } from '../../api/upgrade.ts'
import type { Handlers, Rooms } from '../handlers.ts'
import { upgradeView } from './view.ts'

export function upgradeHandlers({ controller }: Rooms): Handlers<keyof typeof upgradeOperations> {
  return {
    upgrade: () => ({ upgrade: upgradeView(controller.state) }),
    startUpgrade: ({ body }) => ({
      request: () => ({ type: 'StartUpgrade', upgrade: controller.newId().slice(0, 8), ...body }),
      answer: () => ({ position: controller.state.position, upgrade: upgradeView(controller.state) }),
    }),
  }
}
