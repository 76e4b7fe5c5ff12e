import { join } from 'node:path'
import { cacheFolder, haproxyFolder, privilegedFolder, programsFolder, supervisorFolder } from '../layout/dataFolder.ts'
import {
  certificatesFolder,
  configurationFolder,
  controllerSocket,
  privilegedSocket,
  secretsFolder,
} from '../layout/folders.ts'
import {
  agentUnit,
  controllerHelperSocketUnit,
  controllerHelperUnit,
  controllerUnit,
  privilegedSocketUnit,
  privilegedUnit,
  unitFolder,
} from '../layout/units.ts'
import { agentUser, controllerUser, haproxyUser, journalGroup } from '../layout/users.ts'
import { sha256 } from '../lib/hash.ts'
import { partEnvironment } from '../lib/selfCommand.ts'
import { featureUnits } from './features.ts'
import { agentLines, controllerLines, helperText, partText, socketText } from './unitTexts.ts'

/** A unit of one of Tandem's own parts. */
export interface OwnUnit {
  name: string
  text: string
  /** True if systemd starts it after a reboot. Another unit starts a unit that is not enabled. */
  isEnabled: boolean
  /** The words after the program, where the unit runs Tandem itself. */
  words: readonly string[] | null
}

export interface OwnFolder {
  path: string
  mode: number
  owner: string
  group: string
  /** True if the administrator of the machine may change it: then it is only created. */
  isTheirs?: boolean
}

/**
 * Everything that Tandem's own parts need on a machine before they run. Joining, upgrading, returning from an upgrade,
 * leaving and `tandem doctor` all use this description. The order is the order of installation; the part itself, which
 * an upgrade tries, comes last.
 */
export interface Installation {
  /** System users, each with a group of its name. */
  users: string[]
  /** Further system groups. */
  groups: string[]
  folders: OwnFolder[]
  units: OwnUnit[]
}

/** The facts of a machine that a description needs. */
export interface Around {
  data: string
  /** Name of the machine, or, for the controller, of the cluster. */
  name: string
  /** The command line with which a unit runs the installed program; `words` follow the program. */
  command: (unit: string, words: readonly string[]) => readonly string[]
  /** Of `groupsForAgent`, those that this machine has or will have. */
  groups: readonly string[]
}

/** The agent reads the journal and HAProxy's sockets. */
export const groupsForAgent = [journalGroup, haproxyUser]

/** To write files of other users and of root. */
const fileCapabilities = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER']
const machineCapabilities = ['CAP_KILL', 'CAP_SYS_PTRACE', 'CAP_NET_ADMIN', 'CAP_SYS_BOOT']

/** The agent and its privileged helper. */
export function agentParts({ data, name, command, groups }: Around): Installation {
  const ofAgent = { owner: agentUser, group: agentUser }
  const ofRoot = { owner: 'root', group: 'root' }
  const [agent, helper] = ['run', 'privileged'].map((word) => ['agent', word, '--data', data])
  return {
    users: [agentUser, haproxyUser],
    groups: [],
    folders: [
      // Sticky: the agent can add files, but cannot move files that belong to root.
      { path: data, mode: 0o1771, owner: 'root', group: agentUser },
      // The agent reads there which version of Tandem it runs, and cannot change it.
      { path: programsFolder(data), mode: 0o755, ...ofRoot },
      { path: cacheFolder(data), mode: 0o700, ...ofAgent },
      { path: supervisorFolder(data), mode: 0o700, ...ofAgent },
      { path: haproxyFolder(data), mode: 0o2750, owner: agentUser, group: haproxyUser },
      { path: configurationFolder, mode: 0o755, ...ofRoot, isTheirs: true },
      { path: secretsFolder, mode: 0o700, ...ofRoot, isTheirs: true },
      { path: certificatesFolder, mode: 0o755, ...ofRoot, isTheirs: true },
    ],
    units: [
      {
        name: privilegedUnit,
        text: helperText({
          ...{ part: 'agent', socket: privilegedSocketUnit, environment: partEnvironment },
          argv: command(privilegedUnit, helper ?? []),
          capabilities: [...fileCapabilities, ...machineCapabilities],
          // Units, users of services and the hosts file are below /etc.
          writes: ['/etc', '/run', '-/var/lib/private', '-/var/lib/tandem-data', '/var/lib', data],
        }),
        isEnabled: false,
        words: helper ?? [],
      },
      ...featureUnits(data),
      {
        name: privilegedSocketUnit,
        text: socketText({ part: 'agent', path: privilegedSocket, group: agentUser }),
        isEnabled: true,
        words: null,
      },
      {
        name: agentUnit,
        text: partText({
          description: `Tandem's agent of machine ${name}`,
          argv: command(agentUnit, agent ?? []),
          environment: partEnvironment,
          lines: agentLines({ user: agentUser, groups: groups.filter((group) => group !== agentUser), data }),
        }),
        isEnabled: true,
        words: agent ?? [],
      },
    ],
  }
}

/** The controller and its privileged helper. `words` begin with `controller run`. */
export function controllerParts(
  { data, name, command }: Omit<Around, 'groups'>,
  words: readonly string[],
): Installation {
  const helper = ['controller', 'privileged', '--data', data]
  const ofRoot = { owner: 'root', group: 'root' }
  return {
    users: [controllerUser],
    groups: [],
    folders: [
      // Sticky: the controller can add files, but cannot move files that belong to root.
      { path: data, mode: 0o1770, owner: 'root', group: controllerUser },
      { path: programsFolder(data), mode: 0o755, ...ofRoot },
      // Versions that ran as root closed it to others.
      { path: join(programsFolder(data), 'releases'), mode: 0o755, ...ofRoot },
      { path: privilegedFolder(data), mode: 0o700, ...ofRoot },
    ],
    units: [
      {
        name: controllerHelperUnit,
        text: helperText({
          ...{ part: 'controller', socket: controllerHelperSocketUnit, environment: partEnvironment },
          argv: command(controllerHelperUnit, helper),
          capabilities: fileCapabilities,
          // The last has the key of the machine, with which systemd seals.
          writes: [unitFolder, programsFolder(data), privilegedFolder(data), '/var/lib/systemd'],
        }),
        isEnabled: false,
        words: helper,
      },
      {
        name: controllerHelperSocketUnit,
        text: socketText({ part: 'controller', path: controllerSocket, group: controllerUser }),
        isEnabled: true,
        words: null,
      },
      {
        name: controllerUnit,
        text: partText({
          description: `Tandem's controller of ${name}`,
          argv: command(controllerUnit, words),
          environment: partEnvironment,
          lines: controllerLines({ user: controllerUser, data, isLowPort: portIn(words) < firstFreePort }),
        }),
        isEnabled: true,
        words,
      },
    ],
  }
}

/** Ports from here on need no capability (ip_unprivileged_port_start, ip(7)). */
const firstFreePort = 1024

function portIn(words: readonly string[]): number {
  const at = words.indexOf('--port')
  return at < 0 ? firstFreePort : Number(words[at + 1])
}

/** Changes exactly when this version describes its parts differently: it does not depend on the machine. */
export const digestOf = (part: 'agent' | 'controller'): string => sha256(JSON.stringify(anywhere[part]()))

const command: Around['command'] = (_, words) => ['/PROGRAM', ...words]
const anywhere = {
  agent: () => agentParts({ data: '/DATA', name: 'NAME', command, groups: groupsForAgent }),
  controller: () => controllerParts({ data: '/DATA', name: 'NAME', command }, ['controller', 'run']),
}
