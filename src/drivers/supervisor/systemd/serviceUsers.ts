import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { exec, execOrThrow } from '../../../lib/exec.ts'
import { KeyedQueue } from '../../../lib/keyedQueue.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import { noHome } from '../../../layout/users.ts'
import { dataRoots } from '../../../layout/folders.ts'
import type { DataFolders } from '../dataFolders.ts'
import { userName } from './unitName.ts'

/** systemd keeps here the numbers of the users that it made for running units with `DynamicUser=`. */
const dynamicFolder = '/run/systemd/dynamic-uid'
/** Begins the comment of each user made here: users of the administrator are never removed. */
const comment = 'Tandem service '
/** Without this, the names that systemd made for running units would count as existing users. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SYSTEMD_NSS_DYNAMIC_BYPASS: '1' }

/** The users of services on this machine, each with a group of its name and number. Needs root. */
export interface ServiceUsers {
  /** Makes the user if it is missing; resolves with its number. */
  ensure(service: string): Promise<number>
  /** Removes the user, unless somebody else made it. */
  remove(service: string): Promise<void>
  /** The services that have a user made here. */
  all(): Promise<string[]>
}

export function serviceUsers(roots = dataRoots): ServiceUsers {
  // The programs that change users wait for each other only for a while.
  const queue = new KeyedQueue()
  return {
    ensure: (service) => queue.run('users', () => ensure(service, roots)),
    remove: (service) => queue.run('users', () => remove(service)),
    all: async () =>
      entriesOf('passwd').flatMap(([name, , , , about = '']) => {
        const service = about.startsWith(comment) ? about.slice(comment.length) : null
        return service !== null && name === userName(service) ? [service] : []
      }),
  }
}

/** The number that the user of a service gets; `null`: any free one. */
export function numberFor(
  user: string,
  candidates: readonly (number | null)[],
  holders: (id: number) => readonly string[],
): number | null {
  const usable = candidates.filter((id) => id !== null && id > 0 && holders(id).every((name) => name === user))
  return usable[0] ?? null
}

/** Names of users are short: that of a service with a long name may be the whole name of another service. */
export function refuseOther(service: string, [user = '', , , , about = '']: readonly string[]): void {
  if (!about.startsWith(comment) || about === `${comment}${service}`) return
  const other = about.slice(comment.length)
  throw new OperatorError('E_EXEC', `the user ${user} of this machine belongs to the service ${other}`, {
    subject: service,
    next: `choose another name for ${service}: with the same user, each service could read what the other has`,
  })
}

async function ensure(service: string, roots: readonly string[]): Promise<number> {
  const user = userName(service)
  const known = local('passwd', user)
  if (known) {
    refuseOther(service, known)
    return Number(known[2])
  }
  // Instances that run now have the number of the first; after a reboot their data has it.
  const candidates = [runningAs(user), ...roots.map((root) => ownerOf(join(root, service)))]
  const held = new Map<number, string[]>()
  for (const id of candidates) if (id !== null) held.set(id, await holdersOf(id))
  const number = numberFor(user, candidates, (id) => held.get(id) ?? [])
  const numbered = (option: string): string[] => (number === null ? [] : [option, `${number}`])
  if (!local('group', user)) await change(['groupadd', '--system', ...numbered('--gid'), user])
  const about = ['--no-create-home', '--home-dir', noHome, '--shell', '/usr/sbin/nologin']
  await change([
    ...['useradd', '--system', ...numbered('--uid'), '--gid', user, ...about],
    ...['--comment', `${comment}${service}`, user],
  ])
  return Number(local('passwd', user)?.[2])
}

async function remove(service: string): Promise<void> {
  const user = userName(service)
  const known = local('passwd', user)
  if (known?.[4] !== `${comment}${service}`) return
  await change(['userdel', user])
  if (local('group', user)) await change(['groupdel', user])
}

/** Removes a service's user with its data: the number may then belong to another user, who could read the folder. */
export const withUsers = (folders: DataFolders, users: Pick<ServiceUsers, 'remove'>): DataFolders => ({
  ...folders,
  remove: async (service) => {
    await folders.remove(service)
    await users.remove(service)
  },
})

const change = (argv: readonly string[]): Promise<string> => execOrThrow(argv, { env: environment })

/** Lines of a file of this machine: a start waits for this, and each program would take it milliseconds. */
const entriesOf = (kind: 'passwd' | 'group'): string[][] =>
  readFileSync(`/etc/${kind}`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))

const local = (kind: 'passwd' | 'group', name: string): string[] | undefined =>
  entriesOf(kind).find(([one]) => one === name)

async function holdersOf(id: number): Promise<string[]> {
  const names = async (kind: 'passwd' | 'group'): Promise<string[]> => {
    const { code, out } = await exec(['getent', kind, `${id}`], { env: environment })
    return code === 0 ? out.split(':').slice(0, 1) : []
  }
  return [...(await names('passwd')), ...(await names('group')), ...dynamicName(id)]
}

function runningAs(user: string): number | null {
  try {
    return Number(readlinkSync(join(dynamicFolder, `direct:${user}`)))
  } catch {
    return null // no unit of the user runs
  }
}

function dynamicName(id: number): string[] {
  try {
    return [readFileSync(join(dynamicFolder, `${id}`), 'utf8').trim()]
  } catch {
    return [] // no unit runs with the number
  }
}

/** Only of a folder: the other root has a link. */
function ownerOf(path: string): number | null {
  const about = lstatSync(path, { throwIfNoEntry: false })
  return about?.isDirectory() ? about.uid : null
}
