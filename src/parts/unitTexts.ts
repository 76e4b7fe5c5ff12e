import { basename } from 'node:path'
import { privilegedFolder, programsFolder } from '../layout/dataFolder.ts'
import { agentRunDir } from '../layout/folders.ts'
import { unitWords } from '../systemd/quoting.ts'

interface PartText {
  description: string
  /** The whole command line. */
  argv: readonly string[]
  environment: Readonly<Record<string, string>>
  /** Additional lines of the section `[Service]`. */
  lines: readonly string[]
}

const environmentLines = (environment: Readonly<Record<string, string>>): string =>
  Object.entries(environment)
    .map(([name, value]) => `Environment=${name}=${value}\n`)
    .join('')

/**
 * A readable unit file. `Restart=always` without a start limit: an agent that crashed six times at three in the morning
 * must still restart automatically. `KillMode=process`: processes that the part started must outlive it.
 */
export function partText({ description, argv, environment, lines }: PartText): string {
  if (/\p{Cc}/u.test(description)) throw new Error('the description of a unit is one line')
  return `# Written by Tandem; docs/files.md lists all files that Tandem writes.
[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${unitWords(argv)}
${environmentLines(environment)}Restart=always
RestartSec=1
KillMode=process
TimeoutStopSec=30
LimitNOFILE=65536
${lines.map((line) => `${line}\n`).join('')}
[Install]
WantedBy=multi-user.target
`
}

interface SocketText {
  /** The part that the helper serves, as in `Tandem's agent`. */
  part: string
  path: string
  group: string
}

/** systemd listens on the socket; only the group has access. */
export const socketText = ({
  part,
  path,
  group,
}: SocketText): string => `# Written by Tandem; docs/files.md lists all files that Tandem writes.
[Unit]
Description=Socket of the privileged helper of Tandem's ${part}

[Socket]
ListenStream=${path}
SocketUser=root
SocketGroup=${group}
SocketMode=0660
DirectoryMode=0755
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`

interface HelperText extends Omit<PartText, 'description' | 'lines'> {
  part: string
  /** Unit of the socket on which it answers. */
  socket: string
  capabilities: readonly string[]
  /** Files and folders that it changes. */
  writes: readonly string[]
}

/** A core would hold values of secrets. At 0, the kernel hands one to a program all the same. */
const noCores = 'LimitCORE=1'

/** Started by the first connection; exits when there are no requests. It costs nothing while nothing changes. */
export function helperText({ part, argv, environment, socket, capabilities, writes }: HelperText): string {
  return `# Written by Tandem; docs/files.md lists all files that Tandem writes.
[Unit]
Description=Privileged helper of Tandem's ${part}: few operations, with checked arguments
Requires=${socket}
After=${socket}
StartLimitIntervalSec=0

[Service]
ExecStart=${unitWords(argv)}
${environmentLines(environment)}TimeoutStopSec=120
KillMode=mixed
UMask=0022
${noCores}
CapabilityBoundingSet=${capabilities.join(' ')}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${writes.join(' ')}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_NETLINK
IPAddressDeny=any
`
}

/** An unprivileged part gains no rights and changes nothing of the system. */
export const partJail = [
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
]

/** Lines that the agent's unit has in addition to a unit that runs as root. */
export const agentLines = ({ user, groups, data }: { user: string; groups: string[]; data: string }): string[] => [
  `User=${user}`,
  `Group=${user}`,
  ...(groups.length === 0 ? [] : [`SupplementaryGroups=${groups.join(' ')}`]),
  ...partJail,
  // Child processes of the agent end with it. Instances and HAProxy have their own units.
  'KillMode=mixed',
  `ReadWritePaths=${data}`,
  `RuntimeDirectory=${basename(agentRunDir)}`,
  'RuntimeDirectoryMode=0755',
  'RuntimeDirectoryPreserve=yes',
  'UMask=0022',
]

interface ControllerLines {
  user: string
  data: string
  /** It listens on a port below 1024. */
  isLowPort: boolean
}

/** Lines that the controller's unit has in addition to a unit that runs as root. */
export const controllerLines = ({ user, data, isLowPort }: ControllerLines): string[] => [
  // Before each start: a command of root, a restored backup or an older version may have left files of root.
  `ExecStartPre=+/usr/bin/find ${data} -mindepth 1 ( -samefile ${programsFolder(data)} -o -samefile ${privilegedFolder(data)} ) -prune -o ! -user ${user} -exec chown --no-dereference ${user}:${user} {} +`,
  `User=${user}`,
  `Group=${user}`,
  ...partJail,
  ...(isLowPort ? ['CapabilityBoundingSet=CAP_NET_BIND_SERVICE', 'AmbientCapabilities=CAP_NET_BIND_SERVICE'] : []),
  'KillMode=mixed',
  noCores,
  `ReadWritePaths=${data}`,
  'UMask=0077',
]
