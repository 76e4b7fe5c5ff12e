import type { MachineSettings } from '../../definitions/machineSettings.ts'
import { noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

export const takeSettings = async (
  call: CallPrivileged,
  { address, addresses }: MachineSettings,
  order: string | null,
): Promise<void> => void (await call('settings.take', { address, addresses, order }, none))
