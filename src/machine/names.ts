import type { FeatureParts } from '../agent/features.ts'
import type { NamesDriver } from '../drivers/names/hostsFile.ts'
import { hostsPath } from '../layout/names.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Names of services in the hosts file. They stay when Tandem leaves a machine whose services go on. */
export const names = {
  drivers: async ({ root, identity: { joined } }: Making) => {
    const { hostsFile, noNames } = await import('../drivers/names/hostsFile.ts')
    if (joined === null) return { names: noNames }
    if (root === null) return { names: hostsFile(hostsPath) }
    return { names: (await import('../privileged/names/remote.ts')).remoteNames(root) }
  },
  agent: async () => {
    const { names: feature } = await import('../agent/names/names.ts')
    return ({ names: driver }: { names: NamesDriver }) => ({
      make: (parts: FeatureParts) => feature(driver, parts),
    })
  },
  operations: async () => (await import('../privileged/names/operations.ts')).namesOperations(),
  leaving: {
    remove: async () => (await import('../drivers/names/hostsFile.ts')).writeNames(hostsPath, []),
  },
} satisfies MachineSide
