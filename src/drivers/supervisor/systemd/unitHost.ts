import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstanceSpec, SocketOwner, TerminalSize } from '../supervisor.ts'
import { resizeTerminal } from '../terminals.ts'
import { programOf } from '../process/executable.ts'
import { findOwner } from '../process/socketOwner.ts'
import { procProcessTable } from '../process/procProcessTable.ts'
import { procSocketTable } from '../process/sockets.ts'
import { besideText, isBeside, type BesideSpec } from './besideText.ts'
import { pidsOf } from './controlGroup.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import { environmentFile } from '../../../systemd/quoting.ts'
import { createSystemctl } from '../../../systemd/systemctl.ts'
import type { ServiceUsers } from './serviceUsers.ts'
import { isEmpty, stopUnit } from './stopUnit.ts'
import { findRecord, openUnitFiles } from './unitFiles.ts'
import { unitName } from './unitName.ts'
import { makeStreams, removeStreams } from './unitStreams.ts'
import { unitText, type Credential } from './unitText.ts'

/**
 * All operations of the supervisor that need root, and nothing else. It accepts the parts of an instance, never the
 * text of a unit, and starts, stops and removes only units that contain a record of Tandem.
 */
export interface UnitHost {
  /** Writes the unit of an instance, its environment, and the link that starts it after a reboot. */
  write(spec: InstanceSpec, credentials?: readonly Credential[]): Promise<void>
  /** Removes these files. */
  remove(unit: string): Promise<void>
  /** Like `Systemctl`. */
  start(unit: string, timeoutMs: number): Promise<string | null>
  stop(unit: string, timeoutMs: number): Promise<void>
  resetFailed(unit: string): Promise<void>
  reload(): Promise<void>
  syncJournal(): Promise<void>
  /** Whether a process of the unit listens on `port`; `group` is its control group, in systemd's notation. */
  listens(unit: string, group: string, port: number): Promise<boolean>
  /** The process that listens on `port`, among all processes. */
  whoOwns(port: number): Promise<SocketOwner | null>
  /** Sets the size of the terminal in that control group, if there is one. */
  resize(unit: string, group: string, size: TerminalSize): Promise<void>
}

/** A feature that depends on the units of instances, such as the firewall. */
export interface UnitGuard {
  /** Takes up the present units; resolves with whether it holds them to their addresses (`jail: addresses`). */
  refresh: () => Promise<boolean>
}

export interface UnitHostOptions {
  unitFolder: string
  environmentFolder: string
  /** Absolute paths of folders that services must not see. A service still sees the parts that its release needs. */
  hidden: readonly string[]
  /** Group whose members open the streams of attached programs. Default: the group of this process. */
  streamsGroup?: number
  users: Pick<ServiceUsers, 'ensure'>
  /** Asked after each change of a unit. Default: none. */
  guards?: readonly UnitGuard[]
}

/** For a process with root privileges on a machine with systemd. */
export function openUnitHost(options: UnitHostOptions): UnitHost {
  const { unitFolder, environmentFolder, hidden, users, guards = [], streamsGroup = process.getgid?.() ?? 0 } = options
  const systemctl = createSystemctl()
  const files = openUnitFiles(unitFolder, environmentFolder)
  let version: number | null = null
  // Without its rules a service must start all the same: the agent reports why there are none, and tries again.
  const refreshed = async (): Promise<boolean> => {
    const held = await Promise.all(guards.map((guard) => guard.refresh().catch(() => false)))
    return held.includes(true)
  }
  return {
    write: async (wanted, credentials = []) => {
      const { spec, executable } = programOf(wanted)
      const unit = unitName(spec.service, spec.id)
      if (isBeside(spec)) {
        const text = besideText(spec, instanceText(unitFolder, spec), {
          executable,
          environmentFile: files.environmentFile(unit),
        })
        await makeStreams(unit, streamsGroup)
        return files.write(unit, text, environmentFile(spec.beside.env))
      }
      const hasRestartSteps = (version ??= await systemctl.version()) >= 254
      const owner = spec.jail?.user === undefined ? { owner: await users.ensure(spec.service) } : {}
      const text = unitText(spec, {
        ...owner,
        ...{ executable, environmentFile: files.environmentFile(unit), hasRestartSteps, credentials },
        // systemd would fail on a folder that does not exist.
        hidden: hidden.filter((folder) => existsSync(folder)),
      })
      if (spec.attached) await makeStreams(unit, streamsGroup)
      files.write(unit, text, environmentFile(spec.env))
      const isHeld = await refreshed()
      if (spec.jail?.addresses !== undefined && !isHeld && !confinesByUnit()) {
        files.remove(unit)
        throw cannotConfine(spec)
      }
      // Only now: if the power fails before the rules are on disk, the next boot starts no instance without them.
      if (!spec.once) files.enable(unit)
    },
    remove: async (unit) => {
      removeStreams(unit)
      files.remove(unit)
      await refreshed()
    },
    start: (unit, timeoutMs) => systemctl.start(unit, timeoutMs),
    stop: (unit, timeoutMs) => {
      const record = findRecord(unitFolder, unit)
      // systemd opens the streams for ExecStop= too, and would wait for their other ends, which are closed.
      if (record?.once && isEmpty(record)) removeStreams(unit)
      return stopUnit(systemctl, record, unit, timeoutMs)
    },
    resetFailed: (unit) => systemctl.resetFailed(unit),
    reload: () => systemctl.reload(),
    syncJournal: () => systemctl.syncJournal(),
    listens: async (_, group, port) => (await procSocketTable.listener(port, [async () => pidsOf(group)])) !== null,
    whoOwns: (port) => findOwner(procProcessTable, procSocketTable, port),
    resize: (_, group, size) => resizeTerminal(pidsOf(group), size),
  }
}

/**
 * `IPAddressDeny=` of a unit is a BPF program at its cgroup, which only v2 supports. Without v2, systemd starts the unit
 * without it and only logs that.
 */
export const confinesByUnit = (): boolean => existsSync('/sys/fs/cgroup/cgroup.controllers')

function cannotConfine({ id }: InstanceSpec): OperatorError {
  const message = 'this machine cannot restrict the service to addresses: that needs nftables or cgroup v2'
  return new OperatorError('E_EXEC', message, {
    subject: id,
    next: 'apt-get install nftables, or remove `jail: addresses`',
  })
}

function instanceText(unitFolder: string, { service, beside: { instance } }: BesideSpec): string {
  const unit = unitName(service, instance)
  const record = findRecord(unitFolder, unit)
  if (record !== null && record.service === service && record.id === instance && !record.once)
    return readFileSync(join(unitFolder, unit), 'utf8')
  throw new OperatorError('E_INSTANCE_STOPPED', `instance ${instance} of ${service} does not run on this machine`, {
    subject: instance,
    next: `tandem status ${service}`,
  })
}
