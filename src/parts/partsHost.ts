import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
} from 'node:fs'
import { join } from 'node:path'
import { noHome } from '../layout/users.ts'
import { unitFolder } from '../layout/units.ts'
import { groupExists, idOf, nameOf, userExists } from '../lib/accounts.ts'
import { execOrThrow } from '../lib/exec.ts'
import { removeTree } from '../releases/removeTree.ts'
import { installUnit, isEnabled, killUnit, removeUnit, systemctl } from '../systemd/units.ts'
import { createUnitControl } from '../systemd/unitControl.ts'
import type { OwnFolder } from './parts.ts'

/** A busy disk may have gigabytes to write. */
const syncMs = 120_000

export interface UnitOnDisk {
  text: string
  isEnabled: boolean
  /** The command line that replaces the one in the text; `null`: none does. */
  command: readonly string[] | null
}

export interface FolderOnDisk {
  mode: number
  uid: number
  gid: number
  /** Their names count, if they exist. */
  owner: string | null
  group: string | null
}

/** The operations on a machine that change Tandem's own parts. Each may be repeated. */
export interface PartsHost {
  readUnit(name: string): Promise<UnitOnDisk | null>
  /** Makes the unit so, for its next start. Without `command`, its command line stays. */
  writeUnit(name: string, unit: Omit<UnitOnDisk, 'command'> & Partial<UnitOnDisk>): Promise<void>
  /** Stops the unit and removes it. */
  removeUnit(name: string): Promise<void>
  /** Lets a running unit take up its text. A unit that is not enabled is killed: its next client starts it again. */
  takeUp(name: string): Promise<void>
  hasUser(name: string): Promise<boolean>
  /** With a group of its name. */
  addUser(name: string): Promise<void>
  removeUser(name: string): Promise<void>
  hasGroup(name: string): Promise<boolean>
  addGroup(name: string): Promise<void>
  removeGroup(name: string): Promise<void>
  readFolder(path: string): Promise<FolderOnDisk | null>
  /** Makes the folder, or gives an existing one this owner and mode. */
  ensureFolder(folder: OwnFolder): Promise<void>
  /** Makes the folder if it is missing. */
  putFolder(path: string, about: FolderOnDisk): Promise<void>
  /** Removes the folder, with its content if `whole`; returns whether it is gone. */
  removeFolder(path: string, whole: boolean): Promise<boolean>
  /** Returns when all changes, also of these folders, survive a loss of power. */
  sync(folders: readonly string[]): Promise<void>
}

/** For root on a machine with systemd. */
export function systemdPartsHost(): PartsHost {
  const control = createUnitControl()
  return {
    readUnit: async (name) => {
      const file = join(unitFolder, name)
      if (!existsSync(file)) return null
      return { text: readFileSync(file, 'utf8'), isEnabled: await isEnabled(name), command: control.command(name) }
    },
    writeUnit: async (name, { text, isEnabled: enabled, command }) => {
      await installUnit(name, text, { isEnabled: enabled })
      if (!enabled && (await isEnabled(name))) await systemctl('disable', name)
      if (command !== undefined && !isSame(control.command(name), command)) await control.useCommand(name, command)
    },
    removeUnit: async (name) => {
      await removeUnit(name)
      await control.useCommand(name, null)
    },
    takeUp: async (name) => {
      if (await isEnabled(name)) await systemctl('restart', name)
      else await killUnit(name)
    },
    hasUser: userExists,
    addUser: async (name) => {
      if (await userExists(name)) return
      // A call that was cut off may have left the group.
      const group = (await groupExists(name)) ? ['--gid', name] : ['--user-group']
      const about = ['--system', ...group, '--no-create-home', '--home-dir', noHome]
      await execOrThrow(['useradd', ...about, '--shell', '/usr/sbin/nologin', name])
    },
    removeUser: async (name) => {
      if (await userExists(name)) await execOrThrow(['userdel', name])
      await removeGroup(name)
    },
    hasGroup: groupExists,
    addGroup: async (name) => {
      if (!(await groupExists(name))) await execOrThrow(['groupadd', '--system', name])
    },
    removeGroup,
    readFolder: async (path) => {
      const about = lstatSync(path, { throwIfNoEntry: false })
      if (!about?.isDirectory()) return null
      const { uid, gid } = about
      const [owner, group] = [await nameOf('passwd', uid), await nameOf('group', gid)]
      return { mode: about.mode & 0o7777, uid, gid, owner, group }
    },
    ensureFolder: async ({ path, mode, owner, group, isTheirs = false }) => {
      const isThere = existsSync(path)
      if (isThere && isTheirs) return
      if (!isThere) mkdirSync(path, { mode: 0o700 })
      const [uid, gid] = [await idOf('-u', owner), await groupId(group)]
      const before = lstatSync(path)
      if (uid === 0 && before.uid !== 0)
        throw new Error(`${path} does not belong to root: another user has put it there`)
      put(path, { mode, uid, gid })
    },
    putFolder: async (path, { mode, uid, gid, owner, group }) => {
      const present = lstatSync(path, { throwIfNoEntry: false })
      if (present && !present.isDirectory()) return
      if (!present) mkdirSync(path, { mode: 0o700 })
      put(path, {
        mode,
        uid: owner !== null && (await userExists(owner)) ? await idOf('-u', owner) : uid,
        gid: group !== null && (await groupExists(group)) ? await groupId(group) : gid,
      })
    },
    removeFolder: async (path, whole) => {
      if (!existsSync(path)) return true
      if (whole) await removeTree(path)
      else if (readdirSync(path).length === 0) rmdirSync(path)
      return !existsSync(path)
    },
    sync: async (folders) => {
      // Users are in /etc. Other file systems may belong to anything, and may be slow or hang.
      const there = ['/etc', unitFolder, ...folders].filter((path) => existsSync(path))
      await execOrThrow(['sync', '--file-system', ...there], { timeoutMs: syncMs })
    },
  }
}

const isSame = (one: readonly string[] | null, other: readonly string[] | null): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

async function removeGroup(name: string): Promise<void> {
  if (await groupExists(name)) await execOrThrow(['groupdel', name])
}

const groupId = async (group: string): Promise<number> =>
  Number((await execOrThrow(['getent', 'group', group])).split(':')[2])

/** Through the opened folder: the owner of the folder could put a link in its place at any moment. */
function put(path: string, { mode, uid, gid }: Pick<FolderOnDisk, 'mode' | 'uid' | 'gid'>): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    fchownSync(folder, uid, gid)
    fchmodSync(folder, mode)
  } finally {
    closeSync(folder)
  }
}
