import { z } from 'zod'
import type { DataFolders } from '../../drivers/supervisor/dataFolders.ts'
import type { InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import type { UnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { longMs, noAnswer as none } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'

/** Added to the time that the privileged helper itself waits. */
const marginMs = 30_000

export const remoteUnits = (call: CallPrivileged): UnitHost => ({
  write: async (spec) => {
    const { id, service, attached = false, ordered } = spec
    if (ordered) return void (await call('program.write', { id, service, attached, ...ordered }, none))
    // The helper itself knows the folder of a release.
    const sent: Partial<InstanceSpec> = { ...spec }
    delete sent.cwd
    await call('unit.write', { spec: sent }, none)
  },
  remove: async (unit) => void (await call('unit.remove', { unit }, none)),
  start: (unit, timeoutMs) => call('unit.start', { unit, timeoutMs }, z.string().nullable(), timeoutMs + marginMs),
  stop: async (unit, timeoutMs) => void (await call('unit.stop', { unit, timeoutMs }, none, timeoutMs + marginMs)),
  resetFailed: async (unit) => void (await call('unit.resetFailed', { unit }, none)),
  reload: async () => void (await call('units.reload', {}, none)),
  syncJournal: async () => void (await call('journal.sync', {}, none)),
  listens: (unit, group, port) => call('socket.isOf', { unit, group, port }, z.boolean()),
  resize: async (unit, group, size) => void (await call('terminal.resize', { unit, group, size }, none)),
  whoOwns: (port) => call('socket.owner', { port }, z.object({ pid: z.number(), command: z.string() }).nullable()),
})

export const remoteData = (call: CallPrivileged): DataFolders => ({
  remove: async (service) => void (await call('data.remove', { service }, none, longMs)),
  sweep: async () => void (await call('data.sweep', {}, none, longMs)),
})
