import type { clusterOperations } from '../../api/cluster.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export function clusterHandlers({ controller, membership, callers }: Rooms): Handlers<keyof typeof clusterOperations> {
  return {
    cluster: () => ({ cluster: controller.state.cluster }),
    applyCluster: ({ body }) => ({
      request: () => ({ type: 'ApplyCluster', ...body }),
      answer: async () => {
        await membership.forgetRemoved()
        callers.cutRefused()
        return { position: controller.state.position }
      },
    }),
  }
}
