import { chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { haproxyFolder, supervisorFolder } from '../layout/dataFolder.ts'
import { agentUser, haproxyUser } from '../layout/users.ts'
import { groupExists, idOf } from '../lib/accounts.ts'
import { selfCommand } from '../lib/selfCommand.ts'
import { RootFolder } from '../privileged/rootFolder.ts'
import { install, takeUp } from './install.ts'
import type { Joined } from './joinCluster.ts'
import { agentParts, groupsForAgent, type Installation } from './parts.ts'

/**
 * Prepares this machine, as root, for an unprivileged agent, and starts it: its user, the owners of its files, the
 * privileged helper behind its socket, the units. A repeated call finishes a call that was cut off.
 */
export async function setUpAgent(data: string, { machine, authority, settings }: Joined): Promise<void> {
  const { cluster, address, addresses } = settings
  const { command, args, env } = selfCommand()
  const described = async (): Promise<Installation> =>
    agentParts({
      ...{ data, name: machine, environment: env, groups: await groupsHere() },
      command: (_, words) => [command, ...args, ...words],
    })
  const { users, folders } = await described()
  await install({ users, folders: folders.filter(({ path }) => path === data), units: [] })
  new RootFolder(data).make({ machine, cluster, address, addresses }, authority)
  const [uid, gid] = [await idOf('-u', agentUser), await idOf('-g', agentUser)]
  give(data, { uid, gid, haproxy: await idOf('-g', haproxyUser) })
  // Described again, because the group of HAProxy exists only now.
  const parts = await described()
  await install(parts)
  await takeUp(parts.units)
}

/** The groups for the agent that exist on this machine. */
async function groupsHere(): Promise<string[]> {
  const found = await Promise.all(groupsForAgent.map(async (group) => ((await groupExists(group)) ? [group] : [])))
  return found.flat()
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
