import { chmodSync, lchownSync, lstatSync, mkdirSync } from 'node:fs'
import { idOf, userExists } from '../lib/accounts.ts'
import { execOrThrow } from '../lib/exec.ts'
import { installUnit, killUnit, systemctl } from '../systemd/units.ts'
import type { Installation, OwnFolder, OwnUnit } from './parts.ts'

/**
 * Makes everything of the description that is missing or different; returns the units with a new text, which the caller
 * lets take it up. A repeated call finishes a call that was cut off.
 */
export async function install({ users, folders, units }: Installation): Promise<OwnUnit[]> {
  for (const user of users) await ensureUser(user)
  for (const folder of folders) await ensureFolder(folder)
  const changed: OwnUnit[] = []
  for (const unit of units) if (await installUnit(unit.name, unit.text, unit)) changed.push(unit)
  return changed
}

/** Lets running units take up their text, in order of the description: the agent comes last. */
export async function takeUp(units: readonly OwnUnit[]): Promise<void> {
  for (const { name, takesUpBy } of units) {
    if (takesUpBy === 'kill') await killUnit(name)
    else await systemctl('restart', name)
  }
}

async function ensureUser(user: string): Promise<void> {
  if (await userExists(user)) return
  const about = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent']
  await execOrThrow(['useradd', ...about, '--shell', '/usr/sbin/nologin', user])
}

/**
 * Owner and mode of an existing folder change only if it belongs to root: another owner could put a link in its place at
 * any moment.
 */
async function ensureFolder({ path, mode, owner, group, isTheirs = false }: OwnFolder): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false })
  if (before === undefined) mkdirSync(path, { mode: 0o700 })
  else if (!before.isDirectory() || (owner === 'root' && before.uid !== 0))
    throw new Error(`${path} is not a folder of ${owner}: another user has put it there`)
  if (before !== undefined && (isTheirs || before.uid !== 0)) return
  chmodSync(path, mode)
  lchownSync(path, await idOf('-u', owner), await idOf('-g', group))
}
