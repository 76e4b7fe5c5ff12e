import { z } from 'zod'
import { usualAdvertMs } from '../definitions/bounds.ts'
import type { AddressHost } from '../drivers/address/keepalived/addressHost.ts'
import type { RunAddressScript } from '../drivers/address/command/commandAddress.ts'
import type { HaproxyProcess } from '../drivers/balancer/haproxy/haproxyProcess.ts'
import type { HostDriver } from '../drivers/host/host.ts'
import type { DataFolders } from '../drivers/supervisor/dataFolders.ts'
import type { UnitHost } from '../drivers/supervisor/systemd/unitHost.ts'
import { checkupSchema, type AgentSelf, type Checkup } from '../protocol/checkup.ts'
import type { MachineSettings } from '../definitions/machineSettings.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import type { ProgramHost } from '../versions/programHost.ts'
import type { CallPrivileged } from './privilegedClient.ts'

/** Added to the time that the privileged helper itself waits. */
const marginMs = 30_000
const longMs = 600_000
const none = z.null()
const scriptState = z.union([
  z.object({ state: z.enum(['running', 'ok', 'unknown']) }),
  z.object({ state: z.literal('failed'), reason: z.string() }),
])

export const remoteUnits = (call: CallPrivileged): UnitHost => ({
  write: async (spec, executable) => void (await call('unit.write', { spec, executable }, none)),
  remove: async (unit) => void (await call('unit.remove', { unit }, none)),
  start: (unit, timeoutMs) => call('unit.start', { unit, timeoutMs }, z.string().nullable(), timeoutMs + marginMs),
  stop: async (unit, timeoutMs) => void (await call('unit.stop', { unit, timeoutMs }, none, timeoutMs + marginMs)),
  resetFailed: async (unit) => void (await call('unit.resetFailed', { unit }, none)),
  reload: async () => void (await call('units.reload', {}, none)),
  syncJournal: async () => void (await call('journal.sync', {}, none)),
  listens: (unit, group, port) => call('socket.isOf', { unit, group, port }, z.boolean()),
  whoOwns: (port) => call('socket.owner', { port }, z.object({ pid: z.number(), command: z.string() }).nullable()),
})

export const remoteData = (call: CallPrivileged): DataFolders => ({
  remove: async (service) => void (await call('data.remove', { service }, none, longMs)),
  sweep: async () => void (await call('data.sweep', {}, none, longMs)),
})

export const remoteAddresses = (call: CallPrivileged): AddressHost => ({
  install: async ({ advert, ...settings }, haproxy) => {
    // The privileged helper of the previous version does not know this field and always uses the usual interval.
    const more = advert === usualAdvertMs ? {} : { advert }
    await call('addresses.install', { settings: { ...settings, ...more }, haproxy }, none)
  },
  remove: async () => void (await call('addresses.remove', {}, none)),
  leave: () => Promise.reject(new Error('only root can remove Tandem from a machine')),
})

export const remoteHost = (call: CallPrivileged, bootMark: () => string): HostDriver => ({
  bootMark,
  begin: async (script, order) => void (await call('script.begin', { script, order }, none)),
  look: (script) => call('script.look', script, scriptState),
  forget: async (script) => void (await call('script.forget', script, none)),
  restart: async (order) => void (await call('machine.restart', { order }, none)),
})

/** The caller may stop waiting: the script continues, and is requested again. */
export const remoteAddressScript =
  (call: CallPrivileged): RunAddressScript =>
  async (script, addresses, signal) => {
    const left = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`the agent stopped while ${script} was running`)), {
        once: true,
      })
    })
    await Promise.race([call('addresses.script', { script, addresses }, none, longMs), left])
  }

/** `store` is the folder of fetched releases, from which the privileged helper copies and verifies. */
export const remotePrograms = (call: CallPrivileged, store: string): ProgramHost => ({
  prepare: async ({ key, release, version }, source, signal, order) => {
    if (release !== null) {
      const cache = await ReleaseCache.open(store)
      await cache.fetch(release, source, { signal })
      await cache.collect(() => ({ keep: new Set([release]), lastPerService: 1, capBytes: null }))
    }
    await call('program.prepare', { key, release, version, order }, none, longMs)
  },
  begin: async ({ key, release, version }, order) =>
    void (await call('program.begin', { key, release, version, order }, none)),
  resume: async () => void (await call('program.resume', {}, none)),
  confirm: async (key) => void (await call('program.confirm', { key }, none)),
  fail: async ({ key, reason }) => void (await call('program.fail', { key, reason }, none)),
})

/** `local` performs the operations that need no privileges. */
export const remoteHaproxy = (call: CallPrivileged, local: HaproxyProcess): HaproxyProcess => ({
  program: local.program,
  ensureStarted: async () => void (await call('haproxy.start', {}, none)),
  isRunning: () => local.isRunning(),
  lastWords: () => local.lastWords(),
  end: () => local.end(),
})

export const remoteExamine = (
  call: CallPrivileged,
  self: AgentSelf,
  settings: MachineSettings | null,
): Promise<Checkup> => call('machine.examine', { self, settings }, checkupSchema)

export const copyCertificates = async (call: CallPrivileged): Promise<void> =>
  void (await call('haproxy.certificates', {}, none))

export const takeSettings = async (
  call: CallPrivileged,
  { address, addresses }: MachineSettings,
  order: string | null,
): Promise<void> => void (await call('settings.take', { address, addresses, order }, none))
