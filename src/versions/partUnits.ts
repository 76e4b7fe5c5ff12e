import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeFileDurably } from '../lib/durableFile.ts'
import { exec } from '../lib/exec.ts'
import { installUnit, lastWords, systemctl, unitFolder } from '../lib/systemdUnits.ts'

export interface UnitLife {
  mainPid: number
  /** How often systemd started it again by itself since somebody last started it. */
  restarts: number
}

/** What changing a part's program needs of systemd. */
export interface PartUnits {
  /** Makes the unit run this command line from its next start, `null`: what is installed. */
  useCommand(unit: string, argv: readonly string[] | null): Promise<void>
  /** The command line it was made to run; `null`: what is installed. */
  command(unit: string): string[] | null
  /** The command line of its own file, whatever it was made to run; `null`: there is no such unit. */
  installedCommand(unit: string): string[] | null
  restart(unit: string): Promise<void>
  /** Ends it at once, whatever it does. */
  kill(unit: string): Promise<void>
  life(unit: string): Promise<UnitLife>
  /** It runs, or is about to run again by itself. */
  isAlive(unit: string): Promise<boolean>
  /** Its last output, in one line. */
  said(unit: string): Promise<string>
  /** Starts a program that outlives its starter and a reboot, until `removeHelper`. */
  startHelper(unit: string, argv: readonly string[]): Promise<void>
  removeHelper(unit: string): Promise<void>
}

/** The drop-in that a part's unit runs by while it does not run what is installed. */
const dropIn = (unit: string): string => join(unitFolder, `${unit}.d`, 'program.conf')

export function createPartUnits(): PartUnits {
  return {
    async useCommand(unit, argv) {
      const file = dropIn(unit)
      if (argv === null) {
        rmSync(file, { force: true })
        removeIfEmpty(dirname(file))
      } else {
        mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
        writeFileDurably(file, dropInText(argv), 0o644)
      }
      await systemctl('daemon-reload')
    },
    command: (unit) => commandIn(dropIn(unit)),
    installedCommand: (unit) => commandIn(join(unitFolder, unit)),
    async restart(unit) {
      await systemctl('restart', unit)
    },
    async kill(unit) {
      // Fails where it does not run.
      await exec(['systemctl', 'kill', '--kill-whom=all', '--signal=KILL', unit])
    },
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
    async startHelper(unit, argv) {
      await installUnit(unit, helperText(argv))
      await systemctl('restart', unit)
    },
    async removeHelper(unit) {
      // Fails where its file is gone: cut off after that, it is started again from what systemd remembers of it.
      await exec(['systemctl', 'disable', '--quiet', unit])
      rmSync(join(unitFolder, unit), { force: true })
      await systemctl('daemon-reload')
    },
  }
}

/** A person may have put something of their own there. */
function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}

function commandIn(file: string): string[] | null {
  const line = existsSync(file) ? /^ExecStart=(\S.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  return line === undefined ? null : line.replaceAll('%%', '%').split(' ')
}

export const dropInText = (
  argv: readonly string[],
): string => `# Written by \`tandem upgrade\`. Without this file the unit runs what is installed.
[Service]
ExecStart=
ExecStart=${words(argv)}
`

export const helperText = (
  argv: readonly string[],
): string => `# Written by Tandem while a new version of it is tried; removes itself.
[Unit]
Description=Tandem tries a new version of itself, and goes back when it does not work
StartLimitIntervalSec=0

[Service]
ExecStart=${words(argv)}
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`

function words(argv: readonly string[]): string {
  const bad = argv.find((word) => !/^[\w@%+=:,./-]+$/.test(word))
  if (bad !== undefined) throw new Error(`"${bad}" cannot stand in a unit file: run from a path of plain letters`)
  return argv.join(' ').replaceAll('%', '%%')
}
