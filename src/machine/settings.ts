import type { MachineSettings } from '../definitions/machineSettings.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** This machine's part of the cluster file. */
export const settings = {
  drivers: async ({ root }: Making) => ({
    /** Sends the settings of the cluster file to the privileged helper; `null` if there is none. */
    sendSettings:
      root &&
      (async (wanted: MachineSettings, order: string | null): Promise<void> => {
        const { takeSettings } = await import('../privileged/settings/remote.ts')
        await takeSettings(root, wanted, order)
      }),
  }),
  operations: async (context) => (await import('../privileged/settings/operations.ts')).settingsOperations(context),
} satisfies MachineSide
