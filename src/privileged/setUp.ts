import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { unitOpenFiles } from '../drivers/balancer/haproxy/openFiles.ts'
import { unitHaproxy } from '../drivers/balancer/haproxy/unitHaproxy.ts'
import type { HaproxyProcess } from '../drivers/balancer/haproxy/haproxyProcess.ts'
import { exec, execOrThrow } from '../lib/exec.ts'
import { installUnit, systemctl, unitFolder } from '../lib/systemdUnits.ts'
import { writeFileDurably } from '../lib/durableFile.ts'
import { agentLines, privilegedService, privilegedSocketUnit, serviceUnit, socketUnit } from './partUnits.ts'
import { RootFolder, type KnownMachine } from './rootFolder.ts'

/** Whom the agent runs as. */
export const agentUser = 'tandem'
/** Whom HAProxy runs as. No service's user can be called so: those begin with `tandem-`. */
export const haproxyUser = 'tandem_haproxy'
const haproxyUnit = 'tandem-haproxy.service'
const haproxyRunDir = '/run/tandem-haproxy'

/** HAProxy without root, as the part without rights uses it and the root part starts it. */
export const privateHaproxy = (): HaproxyProcess =>
  unitHaproxy({
    ...{ runDir: haproxyRunDir, master: `${haproxyRunDir}/master.sock`, openFiles: unitOpenFiles, user: haproxyUser },
  })

/**
 * Starts HAProxy with what the agent has written. One that still runs as root, from before there was a root part, is ended
 * first: its configuration names a script, and is somebody else's now.
 */
export async function startHaproxy(data: string): Promise<void> {
  const shown = await systemctl('show', '-p', 'MainPID', '-p', 'SubState', haproxyUnit)
  if (runsAsRoot(shown)) await systemctl('stop', haproxyUnit)
  await privateHaproxy().ensureStarted(join(data, 'haproxy/haproxy.cfg'))
}

/**
 * By what systemd shows of its unit. Only of one that has said it is ready: a process that was made a moment ago is root
 * until it becomes its user, and stopping it would cancel the restart that it is part of.
 */
export function runsAsRoot(shown: string, uidOf: (pid: number) => number | undefined = ownerOf): boolean {
  const pid = Number(/^MainPID=(\d+)$/m.exec(shown)?.[1] ?? 0)
  return pid > 0 && /^SubState=running$/m.test(shown) && uidOf(pid) === 0
}

const ownerOf = (pid: number): number | undefined => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid

/** Where HAProxy finds the certificates for https. */
export const sharedCertificates = (data: string): string => join(data, 'certificates')

interface SetUp {
  data: string
  machine: KnownMachine
  /** The cluster's, PEM. */
  authority: string
  /** The command line of the root part. */
  command: readonly string[]
  environment: Readonly<Record<string, string>>
}

/**
 * Prepares this machine, as root, for an agent without rights: its user, who owns what, the root part behind its socket.
 * Returns the lines by which the agent's unit differs. Done again, it finishes what was cut off.
 */
export async function setUpUnprivileged(setUp: SetUp): Promise<string[]> {
  const { data, machine, authority, command, environment } = setUp
  for (const user of [agentUser, haproxyUser]) await ensureUser(user)
  const [uid, gid] = [await idOf('-u', agentUser), await idOf('-g', agentUser)]
  const groups = await groupsHere()
  chownSync(data, 0, gid)
  // Sticky: the agent adds to it, and cannot move away what is root's.
  chmodSync(data, 0o1771)
  new RootFolder(data).make(machine, authority)
  rootFolder(join(data, 'program'))
  for (const name of ['cache', 'supervisor', 'haproxy']) {
    const folder = join(data, name)
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
  }
  give(data, { uid, gid, haproxy: await idOf('-g', haproxyUser) })
  for (const [folder, mode] of etcFolders) if (!existsSync(folder)) mkdirSync(folder, { mode })
  writeFileDurably(join(unitFolder, privilegedService), serviceUnit(command, environment, data), 0o644)
  await installUnit(privilegedSocketUnit, socketUnit(agentUser))
  await systemctl('daemon-reload')
  await systemctl('restart', privilegedSocketUnit)
  return agentLines({ user: agentUser, groups: groups.filter((group) => group !== agentUser), data })
}

/** The agent reads there what Tandem it runs, and cannot change it. */
function rootFolder(path: string): void {
  if (!existsSync(path)) mkdirSync(path)
  if (lstatSync(path).uid !== 0) throw new Error(`${path} is not root's`)
  chmodSync(path, 0o755)
}

const etcFolders: [string, number][] = [
  ['/etc/tandem', 0o755],
  ['/etc/tandem/env', 0o700],
  ['/etc/tandem/certificates', 0o755],
]

async function ensureUser(user: string): Promise<void> {
  if ((await exec(['id', '-u', user])).code === 0) return
  const about = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent']
  await execOrThrow(['useradd', ...about, '--shell', '/usr/sbin/nologin', user])
}

/** Of those that the agent is to be in, the ones that this machine has. */
async function groupsHere(): Promise<string[]> {
  const found = await Promise.all(
    ['systemd-journal', haproxyUser].map(async (group) =>
      (await exec(['getent', 'group', group])).code === 0 ? [group] : [],
    ),
  )
  return found.flat()
}

/** `-u`, `-g`: a number. Throws where there is no such user. */
export const idOf = async (which: '-u' | '-g', user: string): Promise<number> =>
  Number(await execOrThrow(['id', which, user]))

/** What the agent writes is its own from now on, also where it was root until now. Environments of services stay root's. */
function give(data: string, { uid, gid, haproxy }: { uid: number; gid: number; haproxy: number }): void {
  const own = readdirSync(data).filter((name) => name.endsWith('.json'))
  for (const name of ['identity', 'cache', 'self', ...own]) giveAll(join(data, name), uid, gid)
  const supervisor = join(data, 'supervisor')
  // Once it is the agent's, nothing below it is looked at any more.
  if (lstatSync(supervisor).uid === 0) {
    for (const name of ['forgotten', 'started']) giveAll(join(supervisor, name), uid, gid)
    lchownSync(supervisor, uid, gid)
  }
  const folder = join(data, 'haproxy')
  if (lstatSync(folder).uid !== 0) return
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o640)
  chmodSync(folder, 0o2750)
  giveAll(folder, uid, haproxy)
}

/** A folder with all that is in it; a link itself, not what it leads to. */
function giveAll(path: string, uid: number, gid: number): void {
  const about = lstatSync(path, { throwIfNoEntry: false })
  // What is not root's is not looked into: somebody may put a link there at this very moment.
  if (about?.uid !== 0) return
  if (about.isDirectory()) for (const name of readdirSync(path)) giveAll(join(path, name), uid, gid)
  lchownSync(path, uid, gid)
}
