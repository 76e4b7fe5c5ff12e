import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { unitOpenFiles } from '../drivers/balancer/haproxy/openFiles.ts'
import { unitHaproxy } from '../drivers/balancer/haproxy/unitHaproxy.ts'
import type { HaproxyProcess } from '../drivers/balancer/haproxy/haproxyProcess.ts'
import { exec, execOrThrow } from '../lib/exec.ts'
import { installUnit, systemctl } from '../systemd/units.ts'
import { haproxyUnit, privilegedSocketUnit, privilegedUnit, unitFolder } from '../layout/units.ts'
import { writeFileDurably } from '../lib/durableFile.ts'
import { agentLines, serviceUnit, socketUnit } from './helperUnits.ts'
import { RootFolder, type KnownMachine } from './rootFolder.ts'
import { haproxyFolder, programsFolder, supervisorFolder } from '../layout/dataFolder.ts'
import { certificatesFolder, configurationFolder, haproxyRunDir, secretsFolder } from '../layout/folders.ts'
import { agentUser, haproxyUser, journalGroup } from '../layout/users.ts'

/** HAProxy without root privileges; the agent uses it, and the privileged helper starts it. */
export const privateHaproxy = (): HaproxyProcess =>
  unitHaproxy({
    ...{ runDir: haproxyRunDir, master: `${haproxyRunDir}/master.sock`, openFiles: unitOpenFiles, user: haproxyUser },
  })

/**
 * Starts HAProxy with the configuration that the agent has written. An HAProxy that still runs as root, from before
 * there was a privileged helper, is stopped first: its configuration names a script, and another user can now write
 * that configuration.
 */
export async function startHaproxy(data: string): Promise<void> {
  const shown = await systemctl('show', '-p', 'MainPID', '-p', 'SubState', haproxyUnit)
  if (runsAsRoot(shown)) await systemctl('stop', haproxyUnit)
  await privateHaproxy().ensureStarted(join(haproxyFolder(data), 'haproxy.cfg'))
}

/**
 * Judges by the unit's state in systemd. Counts only a unit that has reported that it is ready: a new process is root
 * until it switches to its user, and stopping it then would cancel the restart it belongs to.
 */
export function runsAsRoot(shown: string, uidOf: (pid: number) => number | undefined = ownerOf): boolean {
  const pid = Number(/^MainPID=(\d+)$/m.exec(shown)?.[1] ?? 0)
  return pid > 0 && /^SubState=running$/m.test(shown) && uidOf(pid) === 0
}

const ownerOf = (pid: number): number | undefined => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid

interface SetUp {
  data: string
  machine: KnownMachine
  /** Certificate of the cluster's authority, PEM. */
  authority: string
  /** Command line of the privileged helper. */
  command: readonly string[]
  environment: Readonly<Record<string, string>>
}

/**
 * Prepares this machine, as root, for an unprivileged agent: its user, the owners of its files, the privileged helper
 * behind its socket. Returns the additional lines of the agent's unit. A repeated call finishes a call that was cut
 * off.
 */
export async function setUpUnprivileged(setUp: SetUp): Promise<string[]> {
  const { data, machine, authority, command, environment } = setUp
  for (const user of [agentUser, haproxyUser]) await ensureUser(user)
  const [uid, gid] = [await idOf('-u', agentUser), await idOf('-g', agentUser)]
  const groups = await groupsHere()
  chownSync(data, 0, gid)
  // Sticky: the agent can add files, but cannot move files that belong to root.
  chmodSync(data, 0o1771)
  new RootFolder(data).make(machine, authority)
  rootFolder(programsFolder(data))
  for (const name of ['cache', 'supervisor', 'haproxy']) {
    const folder = join(data, name)
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
  }
  give(data, { uid, gid, haproxy: await idOf('-g', haproxyUser) })
  for (const [folder, mode] of etcFolders) if (!existsSync(folder)) mkdirSync(folder, { mode })
  writeFileDurably(join(unitFolder, privilegedUnit), serviceUnit(command, environment, data), 0o644)
  await installUnit(privilegedSocketUnit, socketUnit(agentUser))
  await systemctl('daemon-reload')
  await systemctl('restart', privilegedSocketUnit)
  return agentLines({ user: agentUser, groups: groups.filter((group) => group !== agentUser), data })
}

/** Folder in which the agent reads which version of Tandem it runs; the agent cannot change it. */
function rootFolder(path: string): void {
  if (!existsSync(path)) mkdirSync(path)
  if (lstatSync(path).uid !== 0) throw new Error(`${path} does not belong to root`)
  chmodSync(path, 0o755)
}

const etcFolders: [string, number][] = [
  [configurationFolder, 0o755],
  [secretsFolder, 0o700],
  [certificatesFolder, 0o755],
]

async function ensureUser(user: string): Promise<void> {
  if ((await exec(['id', '-u', user])).code === 0) return
  const about = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent']
  await execOrThrow(['useradd', ...about, '--shell', '/usr/sbin/nologin', user])
}

/** The groups for the agent that exist on this machine. */
async function groupsHere(): Promise<string[]> {
  const found = await Promise.all(
    [journalGroup, haproxyUser].map(async (group) =>
      (await exec(['getent', 'group', group])).code === 0 ? [group] : [],
    ),
  )
  return found.flat()
}

/** Returns the number of a user (`-u`) or of the user's group (`-g`). Throws if there is no such user. */
export const idOf = async (which: '-u' | '-g', user: string): Promise<number> =>
  Number(await execOrThrow(['id', which, user]))

/**
 * Gives the agent the files that it writes, also where they belonged to root so far. Environments of services stay
 * root's.
 */
function give(data: string, { uid, gid, haproxy }: { uid: number; gid: number; haproxy: number }): void {
  const own = readdirSync(data).filter((name) => name.endsWith('.json'))
  for (const name of ['identity', 'cache', 'self', ...own]) giveAll(join(data, name), uid, gid)
  const supervisor = supervisorFolder(data)
  // Once the folder belongs to the agent, its content is not examined any more.
  if (lstatSync(supervisor).uid === 0) {
    for (const name of ['forgotten', 'started']) giveAll(join(supervisor, name), uid, gid)
    lchownSync(supervisor, uid, gid)
  }
  const folder = haproxyFolder(data)
  if (lstatSync(folder).uid !== 0) return
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o640)
  chmodSync(folder, 0o2750)
  giveAll(folder, uid, haproxy)
}

/** Changes the owner of a folder and its content; a link itself is changed, not its target. */
function giveAll(path: string, uid: number, gid: number): void {
  const about = lstatSync(path, { throwIfNoEntry: false })
  // Content that does not belong to root is skipped: its owner could place a link there at any moment.
  if (about?.uid !== 0) return
  if (about.isDirectory()) for (const name of readdirSync(path)) giveAll(join(path, name), uid, gid)
  lchownSync(path, uid, gid)
}
