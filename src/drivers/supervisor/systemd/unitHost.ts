import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { InstanceSpec, SocketOwner } from '../supervisor.ts'
import { findOwner } from '../process/socketOwner.ts'
import { procProcessTable } from '../process/procProcessTable.ts'
import { procSocketTable } from '../process/sockets.ts'
import { pidsOf } from './controlGroup.ts'
import { environmentFile } from './quoting.ts'
import { createSystemctl } from './systemctl.ts'
import { stopUnit } from './stopUnit.ts'
import { openUnitFiles, readRecord } from './unitFiles.ts'
import { unitName } from './unitName.ts'
import { makeStreams, removeStreams } from './unitStreams.ts'
import { unitText } from './unitText.ts'

/**
 * All that the supervisor needs root for, and nothing else: it takes the parts of an instance, never the text of a unit,
 * and only units that carry our record are started, stopped and removed.
 */
export interface UnitHost {
  /** Writes the unit of an instance, its environment, and the link that starts it after a reboot. `executable`: absolute. */
  write(spec: InstanceSpec, executable: string): Promise<void>
  /** Removes those files. */
  remove(unit: string): Promise<void>
  /** As `Systemctl`. */
  start(unit: string, timeoutMs: number): Promise<string | null>
  stop(unit: string, timeoutMs: number): Promise<void>
  resetFailed(unit: string): Promise<void>
  reload(): Promise<void>
  syncJournal(): Promise<void>
  /** A process of that unit listens on `port`; `group` is its control group, as systemd names it. */
  listens(unit: string, group: string, port: number): Promise<boolean>
  /** Who listens on `port`, of all processes. */
  whoOwns(port: number): Promise<SocketOwner | null>
}

export interface UnitHostOptions {
  unitFolder: string
  environmentFolder: string
  /** Folders that services must not look into; absolute. What a release needs of one it still sees. */
  hidden: readonly string[]
  /** Whose member opens the streams of attached programs. Default: this process's own. */
  streamsGroup?: number
}

/** By whoever is root on a machine with systemd. */
export function openUnitHost(options: UnitHostOptions): UnitHost {
  const { unitFolder, environmentFolder, hidden, streamsGroup = process.getgid?.() ?? 0 } = options
  const systemctl = createSystemctl()
  const files = openUnitFiles(unitFolder, environmentFolder)
  let version: number | null = null
  return {
    write: async (spec, executable) => {
      const unit = unitName(spec.service, spec.id)
      const hasRestartSteps = (version ??= await systemctl.version()) >= 254
      const text = unitText(spec, {
        ...{ executable, environmentFile: files.environmentFile(unit), hasRestartSteps },
        // What is not there needs no hiding, and systemd would fail at it.
        hidden: hidden.filter((folder) => existsSync(folder)),
      })
      if (spec.attached) await makeStreams(unit, streamsGroup)
      files.write(unit, text, environmentFile(spec.env), !spec.once)
    },
    remove: async (unit) => {
      removeStreams(unit)
      files.remove(unit)
    },
    start: (unit, timeoutMs) => systemctl.start(unit, timeoutMs),
    stop: (unit, timeoutMs) => {
      const file = join(unitFolder, unit)
      return stopUnit(systemctl, existsSync(file) ? readRecord(unit, file) : null, unit, timeoutMs)
    },
    resetFailed: (unit) => systemctl.resetFailed(unit),
    reload: () => systemctl.reload(),
    syncJournal: () => systemctl.syncJournal(),
    listens: async (_, group, port) => (await procSocketTable.listener(port, [async () => pidsOf(group)])) !== null,
    whoOwns: (port) => findOwner(procProcessTable, procSocketTable, port),
  }
}
