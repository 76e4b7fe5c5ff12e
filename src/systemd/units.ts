import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../lib/durableFile.ts'
import { exec, execOrThrow, type Outcome } from '../lib/exec.ts'
import { unitFolder } from '../layout/units.ts'

// This module uses the systemctl program.

/** Longer than any of Tandem's own parts may take to stop: the privileged helper may take 120 s. */
const timeoutMs = 150_000
/** Added to the unit's own stop timeout: time in which the kernel must end processes after SIGKILL. */
const killMs = 30_000
const wordLines = 5

/** True if systemd runs this machine and this process has root privileges. */
export const mayInstallUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0

/** Rejects with systemctl's message if the command fails. */
export const systemctl = (...argv: string[]): Promise<string> => execOrThrow(['systemctl', ...argv], { timeoutMs })

/** `withinMs` is the unit's own stop timeout. Rejects if the unit does not stop. */
export const stopUnit = async (unit: string, withinMs: number): Promise<void> =>
  void (await execOrThrow(['systemctl', 'stop', unit], { timeoutMs: withinMs + killMs }))

export const isActive = async (unit: string): Promise<boolean> => (await asked('is-active', '--quiet', unit)).code === 0

/**
 * Writes the unit file if its text differs, reloads systemd and enables the unit; returns whether the text was new. A
 * repeated call finishes work that a crash left unfinished.
 */
export async function installUnit(unit: string, text: string, { isEnabled: enable = true } = {}): Promise<boolean> {
  const path = join(unitFolder, unit)
  const changed = !existsSync(path) || readFileSync(path, 'utf8') !== text
  if (changed) writeFileDurably(path, text, 0o644)
  if (changed || (await asked('show', '-P', 'NeedDaemonReload', unit)).out.trim() !== 'no')
    await systemctl('daemon-reload')
  if (enable && !(await isEnabled(unit))) await systemctl('enable', unit)
  return changed
}

/** False for a unit that only other units start. */
export const isEnabled = async (unit: string): Promise<boolean> =>
  (await asked('is-enabled', unit)).out.trim().startsWith('enabled')

/** Kills the unit's processes at once; a unit that does not run is no error. */
export const killUnit = async (unit: string): Promise<void> =>
  void (await asked('kill', '--kill-whom=all', '--signal=KILL', unit))

/** Stops and disables a unit and removes its file; a missing unit is no error. */
export async function removeUnit(unit: string, folder = unitFolder): Promise<void> {
  // Fails if systemd does not know the unit: then there is nothing to stop.
  await asked('disable', '--quiet', '--now', unit)
  if (await isActive(unit)) throw new Error(`${unit} did not stop: systemctl status ${unit}`)
  rmSync(join(folder, unit), { force: true })
  await systemctl('daemon-reload')
  // systemd would list a failed unit even without its file. Fails if the unit has not failed.
  await asked('reset-failed', unit)
}

/**
 * Returns the last lines of a unit in the journal, joined to one line; with `identifier`, only lines with that
 * identifier.
 */
export async function lastWords(unit: string, identifier?: string): Promise<string> {
  // Very recent output may not be in the journal yet. Only root can wait for it.
  await exec(['journalctl', '--sync'])
  const named = identifier === undefined ? [] : ['-t', identifier]
  const argv = ['journalctl', '-u', unit, ...named, '-n', `${wordLines}`, '-o', 'cat', '--no-pager']
  const { out } = await exec(argv)
  return out.trim().split('\n').join('; ')
}

const asked = (...argv: string[]): Promise<Outcome> => exec(['systemctl', ...argv], { timeoutMs })
