import type { RootKeysKept } from '../privileged/secrets/rootKeys.ts'
import type { FeatureParts } from '../agent/features.ts'
import type { SecretsHost } from '../drivers/secrets/secretsHost.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Secrets: those of the services here; on the controller's machine the root key, and the way back from a backup. */
export const secrets = {
  drivers: async ({ root }: Making): Promise<{ secrets: SecretsHost }> => {
    if (root) return { secrets: (await import('../privileged/secrets/remote.ts')).remoteSecrets(root) }
    return { secrets: new (await import('../agent/secrets/ownSecrets.ts')).OwnSecrets() }
  },
  agent: async () => {
    const { Secrets } = await import('../agent/secrets/secrets.ts')
    return ({ secrets: host }: { secrets: SecretsHost }) => ({
      make: (parts: FeatureParts) => new Secrets(host, parts),
    })
  },
  operations: async (context) => {
    const { openServiceSecrets } = await import('../privileged/secrets/operations.ts')
    return openServiceSecrets(context)
  },
  joining: async (join) => (await import('../installation/registerHelperKey.ts')).registerHelperKey(join),
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
    awaitAdoption: async (options: { data: string; signal: AbortSignal }) =>
      (await import('../installation/restoreController.ts')).awaitAdoption(options),
  },
} satisfies MachineSide
