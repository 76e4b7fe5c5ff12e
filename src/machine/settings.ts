import type { FeatureParts } from '../agent/features.ts'
import type { TakeSettings } from '../agent/settings/settingsKeeper.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** This machine's part of the cluster file. */
export const settings = {
  drivers: async ({ root, identity: { machine, joined } }: Making) => {
    const { JoinedSettings } = await import('../agent/settings/joinedSettings.ts')
    const send = root && (await import('../privileged/settings/remote.ts')).takeSettings
    return { settings: new JoinedSettings({ machine, joined, send: send && ((...taken) => send(root, ...taken)) }) }
  },
  agent: async () => {
    const { settings: feature } = await import('../agent/settings/settings.ts')
    return ({ settings: own }: { settings: { take: TakeSettings } }) => ({
      make: ({ problems }: FeatureParts) => feature((...taken) => own.take(...taken), problems),
    })
  },
  operations: async (context) => (await import('../privileged/settings/operations.ts')).settingsOperations(context),
} satisfies MachineSide
