import { basename } from 'node:path'
import { agentRunDir, privilegedSocket } from '../layout/folders.ts'
import { privilegedSocketUnit } from '../layout/units.ts'
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

/** systemd listens on the socket; only the agent's group has access. */
export const socketText = (
  group: string,
): string => `# Written by Tandem; docs/files.md lists all files that Tandem writes.
[Unit]
Description=Socket of the privileged helper of Tandem's agent

[Socket]
ListenStream=${privilegedSocket}
SocketUser=root
SocketGroup=${group}
SocketMode=0660
DirectoryMode=0755
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`

/**
 * Started by the first connection; exits when there are no requests. It costs nothing while nothing changes. It writes
 * units, users of services and the hosts file below /etc.
 */
export function helperText(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  data: string,
): string {
  return `# Written by Tandem; docs/files.md lists all files that Tandem writes.
[Unit]
Description=Privileged helper of Tandem's agent: few operations, with checked arguments
Requires=${privilegedSocketUnit}
After=${privilegedSocketUnit}
StartLimitIntervalSec=0

[Service]
ExecStart=${unitWords(command)}
${environmentLines(environment)}TimeoutStopSec=120
KillMode=mixed
UMask=0022
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_SYS_PTRACE CAP_NET_ADMIN CAP_SYS_BOOT
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/etc /run -/var/lib/private -/var/lib/tandem-data /var/lib ${data}
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
