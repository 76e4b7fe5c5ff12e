import type { RootKeysKept } from '../privileged/secrets/rootKeys.ts'
import type { MachineSide } from './machineSide.ts'

/** Secrets: on the controller's machine, the root key, and the way back from a backup. */
export const secrets = {
  controller: {
    drivers: async (root): Promise<{ rootKeys?: RootKeysKept }> => {
      if (!root) return {}
      const { remoteRootKeys } = await import('../privileged/secrets/rootKeys.ts')
      return { rootKeys: remoteRootKeys(root) }
    },
    operations: async (data) => (await import('../privileged/secrets/rootKeys.ts')).rootKeyOperations(data),
  },
  here: {
    restoreController: async (options: { file: string; identity: string; data: string }) =>
      (await import('../installation/restoreController.ts')).restoreController(options),
  },
} satisfies MachineSide
