import { mostEntries } from './bounds.ts'
import { jailPatterns } from './jailPatterns.ts'
import { flag } from './shapes/flag.ts'
import { allOmitted, group, optional } from './shapes/group.ts'
import { list } from './shapes/list.ts'
import { text } from './shapes/text.ts'

const words = (pattern: RegExp, expects: string, what: string) =>
  list(text({ expects, pattern }), { what, least: 1, most: mostEntries })

/**
 * Each relaxation of the default jail, and each restriction beyond it, by name (systemd.exec(5) explains the settings
 * behind each).
 */
export const jailShape = group(
  '`jail`',
  allOmitted({
    write: optional(
      words(jailPatterns.path, 'an absolute path', 'paths'),
      'More folders that the instance may write to. It may always write to its data folder.',
      ['paths', 'writable', 'volumes'],
    ),
    capabilities: optional(
      words(jailPatterns.capability, 'a capability such as CAP_NET_BIND_SERVICE', 'capabilities'),
      'Capabilities that the instance keeps.',
      ['caps', 'cap_add'],
    ),
    devices: optional(
      words(jailPatterns.path, 'a path such as /dev/fuse', 'devices'),
      'Devices that the instance may use.',
      ['device'],
    ),
    addressFamilies: optional(
      words(jailPatterns.addressFamily, 'an address family such as AF_NETLINK', 'address families'),
      'More address families than AF_INET, AF_INET6 and AF_UNIX.',
      ['families'],
    ),
    addresses: optional(
      words(
        jailPatterns.address,
        'an address such as 10.0.0.5, a block such as 10.1.0.0/16, or localhost',
        'addresses',
      ),
      "A further restriction: the only addresses, besides the machine's own loopback, that the instance may exchange packets with.",
      ['ips', 'network', 'egress', 'allow'],
    ),
    systemCalls: optional(
      words(jailPatterns.systemCall, 'a system call or a group such as @mount', 'system calls'),
      'More system calls than @system-service.',
      ['syscalls', 'seccomp'],
    ),
    namespaces: optional(flag(), 'The instance may make namespaces, as browsers do for their own sandbox.', ['userns']),
    seeProcesses: optional(flag(), "The instance sees the machine's other processes and all of /proc.", [
      'pid',
      'proc',
    ]),
    user: optional(
      text({ expects: 'a user of the machine', pattern: jailPatterns.user }),
      'The instance runs as this user of the machine instead of a user made for it.',
      ['runAs', 'uid'],
    ),
    denyWriteExecute: optional(
      flag(),
      'A further restriction: no memory is both writable and executable. Breaks Node, Java and others that compile at run time.',
      ['mdwe', 'wx'],
    ),
  }),
)
