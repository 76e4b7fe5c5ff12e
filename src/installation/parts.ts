import { cacheFolder, haproxyFolder, programsFolder, supervisorFolder } from '../layout/dataFolder.ts'
import { certificatesFolder, configurationFolder, secretsFolder } from '../layout/folders.ts'
import { agentUnit, controllerUnit, privilegedSocketUnit, privilegedUnit } from '../layout/units.ts'
import { agentUser, haproxyUser, journalGroup } from '../layout/users.ts'
import { agentLines, helperText, partText, socketText } from './unitTexts.ts'

/** A unit of one of Tandem's own parts. */
export interface OwnUnit {
  name: string
  text: string
  /** True if systemd starts it after a reboot. A unit that is not enabled is started by another one. */
  isEnabled: boolean
  /** How a running unit takes up a new text. A unit that is killed is started again by its next client. */
  takesUpBy: 'restart' | 'kill'
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
 * leaving and `tandem doctor` all use this description; order is the order of installation.
 */
export interface Installation {
  /** System users, each with a group of its name. */
  users: string[]
  folders: OwnFolder[]
  units: OwnUnit[]
}

/** The facts of a machine, and command lines, that a description needs. */
export interface Around {
  data: string
  /** Name of the machine, or, for the controller, of the cluster. */
  name: string
  environment: Readonly<Record<string, string>>
  /** The command line with which a unit runs the installed program; `words` follow the program. */
  command: (unit: string, words: readonly string[]) => readonly string[]
  /** Of `groupsForAgent`, those that this machine has. */
  groups: readonly string[]
}

/** The agent reads the journal and HAProxy's sockets. */
export const groupsForAgent = [journalGroup, haproxyUser]

/** The agent and its privileged helper. */
export function agentParts({ data, name, environment, command, groups }: Around): Installation {
  const ofAgent = { owner: agentUser, group: agentUser }
  const ofRoot = { owner: 'root', group: 'root' }
  return {
    users: [agentUser, haproxyUser],
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
        text: helperText(command(privilegedUnit, ['agent', 'privileged', '--data', data]), environment, data),
        isEnabled: false,
        takesUpBy: 'kill',
      },
      { name: privilegedSocketUnit, text: socketText(agentUser), isEnabled: true, takesUpBy: 'restart' },
      {
        name: agentUnit,
        text: partText({
          description: `Tandem's agent of machine ${name}`,
          argv: command(agentUnit, ['agent', 'run', '--data', data]),
          environment,
          lines: agentLines({ user: agentUser, groups: groups.filter((group) => group !== agentUser), data }),
        }),
        isEnabled: true,
        takesUpBy: 'restart',
      },
    ],
  }
}

/** The controller, which is root. `words` follow `controller run`. */
export function controllerParts(
  { name, environment, command }: Pick<Around, 'name' | 'environment' | 'command'>,
  words: readonly string[],
): Installation {
  return {
    users: [],
    folders: [],
    units: [
      {
        name: controllerUnit,
        text: partText({
          description: `Tandem's controller of ${name}`,
          argv: command(controllerUnit, words),
          environment,
          lines: [],
        }),
        isEnabled: true,
        takesUpBy: 'restart',
      },
    ],
  }
}
