import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from './durableFile.ts'
import { exec, execOrThrow, type Outcome } from './exec.ts'

/** Units of Tandem's own parts, by systemd's own program. */
export const unitFolder = '/etc/systemd/system'
/** Longer than any of Tandem's own parts may take to stop: the root part 120 s. */
const timeoutMs = 150_000
/** Beyond a unit's own time to stop: what the kernel does not end in this time is called unkillable. */
const killMs = 30_000
const wordLines = 5

/** Rejects with what it said when it fails. */
export const systemctl = (...argv: string[]): Promise<string> => execOrThrow(['systemctl', ...argv], { timeoutMs })

/** `withinMs`: how long the unit itself lets it take. Rejects when it does not stop. */
export const stopUnit = async (unit: string, withinMs: number): Promise<void> =>
  void (await execOrThrow(['systemctl', 'stop', unit], { timeoutMs: withinMs + killMs }))

export const isActive = async (unit: string): Promise<boolean> => (await asked('is-active', '--quiet', unit)).code === 0

/**
 * Brings a unit file to this text, and lets systemd know it and start it at boot; says whether the text was new. Done
 * again, it finishes what a crash had left half-way.
 */
export async function installUnit(unit: string, text: string, folder = unitFolder): Promise<boolean> {
  const path = join(folder, unit)
  const changed = !existsSync(path) || readFileSync(path, 'utf8') !== text
  if (changed) writeFileDurably(path, text, 0o644)
  if (changed || (await asked('show', '-P', 'NeedDaemonReload', unit)).out.trim() !== 'no')
    await systemctl('daemon-reload')
  if ((await asked('is-enabled', '--quiet', unit)).code !== 0) await systemctl('enable', unit)
  return changed
}

/** Stops a unit for good and removes its file; none there is no error. */
export async function removeUnit(unit: string, folder = unitFolder): Promise<void> {
  // Fails where systemd does not know it: then there is nothing to stop.
  await asked('disable', '--quiet', '--now', unit)
  if (await isActive(unit)) throw new Error(`${unit} does not stop: systemctl status ${unit}`)
  rmSync(join(folder, unit), { force: true })
  await systemctl('daemon-reload')
}

/** The last lines of a unit in the journal, one after the other; with `identifier` only those of that name. */
export async function lastWords(unit: string, identifier?: string): Promise<string> {
  // What was said a moment ago may not be in the journal yet. Who is not root cannot wait for it.
  await exec(['journalctl', '--sync'])
  const named = identifier === undefined ? [] : ['-t', identifier]
  const argv = ['journalctl', '-u', unit, ...named, '-n', `${wordLines}`, '-o', 'cat', '--no-pager']
  const { out } = await exec(argv)
  return out.trim().split('\n').join('; ')
}

const asked = (...argv: string[]): Promise<Outcome> => exec(['systemctl', ...argv], { timeoutMs })
