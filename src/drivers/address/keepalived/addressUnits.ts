import { basename } from 'node:path'
import type { KeepalivedFiles } from './keepalivedFiles.ts'
import { hostPrefix, type KeepalivedSettings } from './keepalivedSettings.ts'
import { guardUnit } from '../../../layout/addresses.ts'

/**
 * The unit of keepalived, separate from any keepalived of the operator. However keepalived ends, the unit removes the
 * addresses that it held, so that no address stays on a machine that does not advertise it.
 *
 * A pid file left by a killed keepalived may name another process by now, and keepalived would not start. So the unit
 * removes these files before a start.
 */
export function keepalivedUnitFile(program: string, files: KeepalivedFiles, settings: KeepalivedSettings): string {
  const off = settings.addresses.map(
    ({ address }) => `ExecStopPost=-ip address del ${hostPrefix(address)} dev ${settings.interface}\n`,
  )
  const pids = `-p ${files.keepalivedPid} -r ${files.vrrpPid}`
  return `# Written by Tandem: changes made here are overwritten; use \`systemctl edit\` for your own.
[Unit]
Description=keepalived of Tandem: moves virtual addresses to and from this machine
Wants=network-online.target ${guardUnit}
After=network-online.target ${guardUnit}
StartLimitIntervalSec=0

[Service]
ExecStartPre=/bin/rm -f ${files.keepalivedPid} ${files.vrrpPid}
ExecStart=${program} --dont-fork --use-file ${files.config} ${pids}
ExecReload=/bin/kill -HUP $MAINPID
${off.join('')}Restart=always
RestartSec=100ms
TimeoutStopSec=3
Nice=-15
OOMScoreAdjust=-900
${sharedRunFolder(files)}CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${files.run}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelModules=yes
RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6 AF_PACKET
MemoryDenyWriteExecute=yes
${jail}
[Install]
WantedBy=multi-user.target
`
}

/**
 * The guard does not use the network: it may open only local sockets and the sockets that list the addresses of the
 * machine. `group`: the group of HAProxy's socket, if HAProxy does not run as root. If the program of the guard was
 * removed, systemd skips the unit instead of trying it ten times a second, and keepalived continues without the guard.
 */
export function guardUnitFile(command: readonly string[], files: KeepalivedFiles, group: string | null = null): string {
  return `# Written by Tandem: changes made here are overwritten; use \`systemctl edit\` for your own.
[Unit]
Description=Guard of Tandem: removes the virtual addresses from a machine that does not serve
${whereProgramIs(command)}StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
WatchdogSec=5
ExecStart=${command.join(' ')}
ExecStopPost=-nft delete table inet tandem_address
Restart=always
RestartSec=100ms
TimeoutStopSec=5
Nice=-10
OOMScoreAdjust=-900
${sharedRunFolder(files)}${group === null ? '' : `SupplementaryGroups=${group}\n`}CapabilityBoundingSet=CAP_NET_ADMIN
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${files.run}
ProtectHome=read-only
PrivateDevices=yes
ProtectKernelModules=yes
RestrictAddressFamilies=AF_UNIX AF_NETLINK
IPAddressDeny=any
RestrictRealtime=yes
${jail}
[Install]
WantedBy=multi-user.target
`
}

/**
 * Conditions for the absolute paths of the command, Node and the script: the words before the guard's own arguments.
 */
const whereProgramIs = (command: readonly string[]): string =>
  command
    .slice(0, command.indexOf('agent'))
    .flatMap((word) => (word.startsWith('/') ? [`ConditionPathExists=${word}\n`] : []))
    .join('')

/** Permissions that neither unit needs. */
const jail = `ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
LockPersonality=yes
UMask=0077
`

/** Both units keep this folder: it outlives either. */
const sharedRunFolder = ({ run }: KeepalivedFiles): string => `RuntimeDirectory=${basename(run)}
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
`
