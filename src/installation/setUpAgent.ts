import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { haproxyFolder, supervisorFolder } from '../layout/dataFolder.ts'
import { agentUnit } from '../layout/units.ts'
import { agentUser, haproxyUser } from '../layout/users.ts'
import { idOf } from '../lib/accounts.ts'
import { selfCommand } from '../lib/selfCommand.ts'
import { RootFolder } from '../privileged/rootFolder.ts'
import type { Joined } from './joinCluster.ts'
import { agentParts, digestOf } from '../parts/parts.ts'
import { installParts } from '../parts/partsChange.ts'
import { systemdPartsHost } from '../parts/partsHost.ts'
import { groupsHere, setUpParts } from '../parts/setUpParts.ts'
import { isActive, systemctl } from '../systemd/units.ts'

/**
 * Prepares this machine, as root, for an unprivileged agent, and starts it: its user, the owners of its files, the
 * privileged helper behind its socket, the units. A repeated call finishes a call that was cut off.
 */
export async function setUpAgent(data: string, { machine, authority, settings }: Joined): Promise<void> {
  const { cluster, address, addresses } = settings
  const { command, args } = selfCommand()
  const parts = agentParts({
    ...{ data, name: machine, groups: await groupsHere() },
    command: (_, words) => [command, ...args, ...words],
  })
  const folders = parts.folders.filter(({ path }) => path === data)
  await installParts({ ...parts, folders, units: [] }, systemdPartsHost())
  new RootFolder(data).make({ machine, cluster, address, addresses }, authority)
  const [uid, gid] = [await idOf('-u', agentUser), await idOf('-g', agentUser)]
  // An agent that still ran as root would go on writing files of root, which the next one cannot read.
  if (await isActive(agentUnit)) await systemctl('stop', agentUnit)
  give(data, { uid, gid, haproxy: await idOf('-g', haproxyUser) })
  await setUpParts(data, parts, digestOf('agent'))
}

/**
 * Gives the agent the files that it writes, also where they belonged to root so far. Environments of services stay
 * root's.
 */
function give(data: string, { uid, gid, haproxy }: { uid: number; gid: number; haproxy: number }): void {
  const own = readdirSync(data).filter((name) => name.endsWith('.json'))
  for (const name of ['identity', 'cache', 'self', ...own]) giveAll(join(data, name), uid, gid)
  const supervisor = supervisorFolder(data)
  // Once the folder belongs to the agent, its content is not examined any more.
  if (isOfRoot(supervisor)) for (const name of ['forgotten', 'started']) giveAll(join(supervisor, name), uid, gid)
  const folder = haproxyFolder(data)
  if (!isOfRoot(folder)) return
  for (const name of readdirSync(folder)) {
    chmodSync(join(folder, name), 0o640)
    giveAll(join(folder, name), uid, haproxy)
  }
}

const isOfRoot = (folder: string): boolean => lstatSync(folder, { throwIfNoEntry: false })?.uid === 0

/** Changes the owner of a folder and its content; a link itself is changed, not its target. */
function giveAll(path: string, uid: number, gid: number): void {
  const about = lstatSync(path, { throwIfNoEntry: false })
  // Content that does not belong to root is skipped: its owner could place a link there at any moment.
  if (about?.uid !== 0) return
  if (about.isDirectory()) for (const name of readdirSync(path)) giveAll(join(path, name), uid, gid)
  lchownSync(path, uid, gid)
}
