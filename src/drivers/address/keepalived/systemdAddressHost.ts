import { chownSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../../lib/durableFile.ts'
import { readJson } from '../../../lib/durableJson.ts'
import { exec } from '../../../lib/exec.ts'
import { sha256 } from '../../../lib/hash.ts'
import { makeFolder } from '../../../lib/makeFolder.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import { installUnit, isActive, removeUnit, systemctl } from '../../../systemd/units.ts'
import { guardUnit, keepalivedUnit } from '../../../layout/addresses.ts'
import { unitFolder } from '../../../layout/units.ts'
import type { AddressHost } from './addressHost.ts'
import { guardUnitFile, keepalivedUnitFile } from './addressUnits.ts'
import type { GuardSettings } from './guardFiles.ts'
import { keepalivedConfig, withoutGuard } from './keepalivedConfig.ts'
import type { KeepalivedFiles } from './keepalivedFiles.ts'
import type { KeepalivedSettings } from './keepalivedSettings.ts'

export interface HostOptions {
  files: KeepalivedFiles
  /** The command line of the guard; its words contain no spaces. */
  guardCommand: readonly string[]
  /** Absolute paths at which keepalived may be. */
  programs?: readonly string[]
  /** If agent and HAProxy do not run as root: the user of the agent, and the group of HAProxy's sockets. */
  unprivileged?: { uid: number; gid: number; haproxyGroup: string }
  /** The files with which an agent that ran as root has run keepalived; removed once nothing uses them. */
  former?: KeepalivedFiles
}

/** The sha256 of the settings with which guard and keepalived run. */
type Applied = z.infer<typeof appliedSchema>
const appliedSchema = z.object({ guard: z.string(), keepalived: z.string() })

const checkMs = 10_000
const usualPrograms = ['/usr/sbin/keepalived', '/usr/local/sbin/keepalived']

/** The privileged helper on a machine with systemd: two units of Tandem, and their files. */
export function systemdAddressHost(options: HostOptions): AddressHost {
  const { files, guardCommand, programs = usualPrograms, unprivileged, former } = options
  const paths = { keepalived: `${unitFolder}/${keepalivedUnit}`, guard: `${unitFolder}/${guardUnit}` }

  const install: AddressHost['install'] = async (settings, haproxy) => {
    checkSettings(settings)
    const program = programs.find((path) => existsSync(path))
    if (program === undefined) throw notInstalled(settings)
    makeFolder(dirname(files.config))
    for (const folder of [files.run, files.agent]) mkdirSync(folder, { recursive: true, mode: 0o755 })
    if (unprivileged) chownSync(files.agent, unprivileged.uid, unprivileged.gid)
    const text = keepalivedConfig(settings, files.run)
    if (contentOf(files.config) !== text) await checkConfig(program, `${files.config}.candidate`, text)
    const guard: GuardSettings = {
      ...{ machine: settings.machine, interface: settings.interface, haproxy, advert: settings.advert },
      addresses: settings.addresses.map(({ address }) => address),
    }
    const guardText = `${JSON.stringify(guard)}\n`
    const guardUnitText = guardUnitFile(guardCommand, files, unprivileged?.haproxyGroup ?? null)
    const wanted: Applied = { guard: sha256(`${guardUnitText}${guardText}`), keepalived: sha256(text) }
    // The files alone do not show the state: the process may have been killed between writing the files and acting on
    // them.
    const applied = appliedBy(files)
    const isNewUnit = await installUnit(guardUnit, guardUnitText)
    await installUnit(keepalivedUnit, keepalivedUnitFile(program, files, settings))
    const isNewGuard = writeChanged(files.guard, guardText) || isNewUnit || applied?.guard !== wanted.guard
    await systemctl(isNewGuard ? 'restart' : 'start', guardUnit)
    const isRunning = await isActive(keepalivedUnit)
    const isNewConfig = writeChanged(files.config, text) || applied?.keepalived !== wanted.keepalived
    // Another file than before: a reload would read the one that keepalived was started with.
    if (isRunning && !(await runsWith(files.config))) await systemctl('restart', keepalivedUnit)
    else if (isRunning && isNewConfig) await systemctl('reload', keepalivedUnit)
    await systemctl('start', keepalivedUnit)
    writeChanged(files.applied, `${JSON.stringify(wanted)}\n`)
    if (former) removeOfRoot(dirname(former.config))
  }

  const remove = async (): Promise<void> => {
    if (![paths.keepalived, paths.guard, files.config, files.guard].some((path) => existsSync(path))) return
    // The guard is removed last: it must still remove the addresses that a frozen keepalived would leave.
    for (const unit of [keepalivedUnit, guardUnit]) await removeUnit(unit)
    for (const path of [files.run, files.guard, files.config, files.applied])
      rmSync(path, { recursive: true, force: true })
  }

  const leave = async (): Promise<void> => {
    if (!existsSync(paths.keepalived)) return
    const isChanged = writeChanged(files.config, withoutGuard(contentOf(files.config) ?? ''))
    // If there still is a guard, an earlier attempt may have been killed before keepalived loaded this.
    if (isChanged || existsSync(paths.guard)) await systemctl('reload-or-restart', keepalivedUnit)
    await removeUnit(guardUnit)
    for (const path of [files.guard, files.applied]) rmSync(path, { force: true })
  }

  return { install, leave, remove }
}

async function runsWith(config: string): Promise<boolean> {
  const pid = (await systemctl('show', '--property=MainPID', '--value', keepalivedUnit)).trim()
  const words = contentOf(`/proc/${pid}/cmdline`)?.split('\0') ?? []
  return words.includes(config)
}

/** Removes a folder of root; leaves one that another user could change meanwhile. */
function removeOfRoot(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory() && found.uid === 0) rmSync(folder, { recursive: true })
}

function appliedBy({ applied }: KeepalivedFiles): Applied | null {
  const known = appliedSchema.safeParse(readJson(applied))
  return known.success ? known.data : null
}

/** Rejects any text that could end a line or a word of keepalived's configuration or of a unit. */
export function checkSettings({ machine, interface: card, own, peers, addresses, advert }: KeepalivedSettings): void {
  const wrong = [
    ...[own, ...peers, ...addresses.map(({ address }) => address)].filter((address) => isIP(address) === 0),
    ...addresses.flatMap(({ routerId, priority }) => [
      ...(inRange(routerId, 255) ? [] : [String(routerId)]),
      ...(inRange(priority, 254) ? [] : [String(priority)]),
    ]),
    ...(Number.isInteger(advert) && advert > 0 ? [] : [String(advert)]),
    ...(/^[a-z][a-z0-9-]{0,39}$/.test(machine) ? [] : [machine]),
    ...(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}$/.test(card) ? [] : [card]),
  ]
  if (wrong.length > 0)
    throw new Error(
      `the configuration of keepalived must not contain ${wrong.map((one) => JSON.stringify(one)).join(', ')}`,
    )
  if (addresses.length === 0) throw new Error('keepalived needs an address to move (this is a bug)')
}

const inRange = (number: number, most: number): boolean => Number.isInteger(number) && number >= 1 && number <= most

/** A configuration that keepalived refuses never replaces the running one. */
async function checkConfig(program: string, candidate: string, text: string): Promise<void> {
  writeFileDurably(candidate, text)
  try {
    const argv = [program, '--config-test', '--use-file', candidate]
    const { code, out, err } = await exec(argv, { timeoutMs: checkMs })
    if (code === 0) return
    throw new OperatorError('E_ADDRESS_DRIVER', `keepalived refuses its configuration: ${lastLine(out + err)}`, {
      subject: candidate,
      next: 'check that keepalived is version 2.2 or newer: keepalived --version; the running configuration stays in force, and Tandem retries',
    })
  } finally {
    rmSync(candidate, { force: true })
  }
}

const lastLine = (output: string): string => output.trim().split('\n').at(-1) ?? ''

const notInstalled = ({ machine, addresses }: KeepalivedSettings): OperatorError =>
  new OperatorError(
    'E_ADDRESS_DRIVER',
    `keepalived is not installed, so this machine cannot hold ${addresses.map(({ address }) => address).join(' and ')}`,
    {
      subject: machine,
      next: 'on this machine: apt-get install keepalived; Tandem then tries again. Or set drivers: { address: none }',
    },
  )

function writeChanged(path: string, text: string, mode = 0o600): boolean {
  if (contentOf(path) === text) return false
  writeFileDurably(path, text, mode)
  return true
}

const contentOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null)
