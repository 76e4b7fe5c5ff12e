import { mostEntries } from './bounds.ts'
import { jailPatterns } from './jailPatterns.ts'
import { flag } from './shapes/flag.ts'
import { allOmitted, group, optional } from './shapes/group.ts'
import { refuse, type Refusal } from './shapes/refusal.ts'
import { distinct, list } from './shapes/list.ts'
import { text } from './shapes/text.ts'

const words = (pattern: RegExp, expects: string, what: string) =>
  list(text({ expects, pattern }), { what, least: 1, most: mostEntries })

/**
 * A scratch folder hides what the machine has there from the instance alone, so it opens nothing. systemd makes the folder
 * where the machine has none: so it must not be one whose mere existence means something.
 */
function checkScratch(written: string): string | Refusal {
  const [, parent = '', ...below] = written.split('/')
  // nologin(5): while it exists, nobody can log in.
  if (below.at(-1) === 'nologin') return refuse(`"${written}" would keep people from logging in to the machine`)
  if (below.some((name) => /^(?:tandem|systemd|private)(?:-|$)/.test(name)))
    return refuse(`"${written}" is a folder of Tandem or systemd; an instance keeps its data in its TANDEM_DATA`)
  return below.length === 1 && parent === 'var'
    ? refuse(`"${written}" is a folder that many programs use; name a folder in it`)
    : written
}

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
    scratch: optional(
      distinct(
        list(
          text({
            expects: 'a folder below /var, /run, /srv, /opt or /mnt',
            pattern: jailPatterns.scratch,
            check: checkScratch,
          }),
          { what: 'folders', least: 1, most: 20 },
        ),
      ),
      'Folders that each instance finds empty and may write to. They are its own, in memory, and gone when it ends.',
      ['tmpfs', 'tmp', 'temporary', 'runtime'],
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
