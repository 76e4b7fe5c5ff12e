import { z } from 'zod'
import { machineSettingsSchema, type MachineSettings } from '../definitions/machineSettings.ts'
import { agentSelfSchema, checkupSchema, type AgentSelf, type Checkup } from '../protocol/checkup.ts'
import { operation, type Operations } from './operation.ts'
import type { CallPrivileged } from './privilegedClient.ts'

/** Examines this machine without changing anything. */
export type Examine = (self: AgentSelf, settings: MachineSettings | null) => Promise<Checkup>

const examineShape = z.strictObject({ self: agentSelfSchema, settings: machineSettingsSchema.nullable() })

export const examineOperations = ({ examine }: { examine: Examine }): Operations => ({
  'machine.examine': operation(examineShape, ({ self, settings }) => examine(self, settings)),
})

export const remoteExamine = (
  call: CallPrivileged,
  self: AgentSelf,
  settings: MachineSettings | null,
): Promise<Checkup> => call('machine.examine', { self, settings }, checkupSchema)
