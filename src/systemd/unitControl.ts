import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeFolderDurably, removeFileDurably, writeFileDurably } from '../lib/durableFile.ts'
import { exec } from '../lib/exec.ts'
import { installUnit, killUnit, lastWords, removeUnit, systemctl } from './units.ts'
import { unitFolder } from '../layout/units.ts'
import { unitWords } from './quoting.ts'

export interface UnitLife {
  mainPid: number
  /** Automatic restarts by systemd since the last manual start. */
  restarts: number
}

/** Operations of systemd that are needed to change a part's program. */
export interface UnitControl {
  /** Makes the unit run this command line from its next start, durably; `null` selects the installed program. */
  useCommand(unit: string, argv: readonly string[] | null): Promise<void>
  /** The command line that the unit was set to run; `null` if it runs the installed program. */
  command(unit: string): string[] | null
  /** The command line in the unit's own file, without the drop-in; `null` if there is no such unit. */
  installedCommand(unit: string): string[] | null
  restart(unit: string): Promise<void>
  /** Kills the unit's processes at once. */
  kill(unit: string): Promise<void>
  life(unit: string): Promise<UnitLife>
  /** True if the unit runs, or is about to be restarted by systemd. */
  isAlive(unit: string): Promise<boolean>
  /** The unit's last output, in one line. */
  said(unit: string): Promise<string>
  /** Starts a program that outlives its starter and a reboot, until `removeHelper`. */
  startHelper(unit: string, argv: readonly string[], description: string): Promise<void>
  /** Removes the helper that calls this: it continues to its end. */
  removeHelper(unit: string): Promise<void>
  /** Stops a helper and removes it. */
  endHelper(unit: string): Promise<void>
}

/** Drop-in of a part's unit while the unit does not run the installed program. */
const dropIn = (unit: string): string => join(unitFolder, `${unit}.d`, 'program.conf')

export function createUnitControl(): UnitControl {
  return {
    async useCommand(unit, argv) {
      const file = dropIn(unit)
      if (argv === null) {
        removeFileDurably(file)
        removeIfEmpty(dirname(file))
      } else {
        makeFolderDurably(dirname(file), 0o755)
        writeFileDurably(file, dropInText(argv), 0o644)
      }
      await systemctl('daemon-reload')
    },
    command: (unit) => commandIn(dropIn(unit)),
    installedCommand: (unit) => commandIn(join(unitFolder, unit)),
    async restart(unit) {
      await systemctl('restart', unit)
    },
    kill: killUnit,
    async life(unit) {
      const said = await systemctl('show', '--property=MainPID,NRestarts', unit)
      const number = (name: string): number => Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(said)?.[1] ?? 0)
      return { mainPid: number('MainPID'), restarts: number('NRestarts') }
    },
    async isAlive(unit) {
      const state = (await systemctl('show', '-P', 'ActiveState', unit)).trim()
      return state !== 'inactive' && state !== 'failed'
    },
    said: (unit) => lastWords(unit),
    async startHelper(unit, argv, description) {
      await installUnit(unit, helperText(argv, description))
      await systemctl('restart', unit)
    },
    endHelper: (unit) => removeUnit(unit),
    async removeHelper(unit) {
      // Fails if the unit's file is gone. After a removal that was cut off there, systemd restarts the unit from
      // memory.
      await exec(['systemctl', 'disable', '--quiet', unit])
      rmSync(join(unitFolder, unit), { force: true })
      await systemctl('daemon-reload')
    },
  }
}

/** Removes the folder only if it is empty: an operator may have put files there. */
function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}

const commandIn = (file: string): string[] | null =>
  existsSync(file) ? commandOfText(readFileSync(file, 'utf8')) : null

/** The command line in the text of one of Tandem's own units; `null` if it has none. */
export function commandOfText(text: string): string[] | null {
  const line = /^ExecStart=(\S.*)$/m.exec(text)?.[1]
  return line === undefined ? null : line.replaceAll('%%', '%').split(' ')
}

export const dropInText = (
  argv: readonly string[],
): string => `# Written by \`tandem upgrade\`. Without this file the unit runs the installed program.
[Service]
ExecStart=
ExecStart=${unitWords(argv)}
`

export const helperText = (
  argv: readonly string[],
  description: string,
): string => `# Written by Tandem during the trial of a new version; this unit removes itself.
[Unit]
Description=${description}
StartLimitIntervalSec=0

[Service]
ExecStart=${unitWords(argv)}
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`
