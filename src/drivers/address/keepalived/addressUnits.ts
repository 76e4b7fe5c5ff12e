import { basename } from 'node:path'
import type { KeepalivedFiles } from './keepalivedFiles.ts'
import { hostPrefix, type KeepalivedSettings } from './keepalivedSettings.ts'

export const keepalivedUnit = 'tandem-keepalived.service'
export const guardUnit = 'tandem-guard.service'

/**
 * A pid file that a killed one left may name a process of somebody else's by now, and keepalived would not start.
 *
 * keepalived apart from any that the operator runs. However it ends, what it held is taken off, so that no address stays on
 * a machine that does not speak for it.
 */
export function keepalivedUnitFile(program: string, files: KeepalivedFiles, settings: KeepalivedSettings): string {
  const off = settings.addresses.map(
    ({ address }) => `ExecStopPost=-ip address del ${hostPrefix(address)} dev ${settings.interface}\n`,
  )
  const pids = `-p ${files.keepalivedPid} -r ${files.vrrpPid}`
  return `# Written by Tandem: changes made here are overwritten; use \`systemctl edit\` for your own.
[Unit]
Description=keepalived of Tandem: this machine's part in the virtual addresses
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
${sharedRunFolder(files)}CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
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
 * The guard talks to no network: the only sockets it may open are local ones, and those that list the machine's addresses.
 * `group`: whose socket HAProxy answers at, where that does not run as root. Where its program was removed, systemd skips it
 * rather than try it ten times a second, and keepalived goes on without it.
 */
export function guardUnitFile(command: readonly string[], files: KeepalivedFiles, group: string | null = null): string {
  return `# Written by Tandem: changes made here are overwritten; use \`systemctl edit\` for your own.
[Unit]
Description=Guard of Tandem: takes the virtual addresses off a machine that does not serve
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
${jail}
[Install]
WantedBy=multi-user.target
`
}

/** Of the words that run it, Node and the script: what comes before its own words. */
const whereProgramIs = (command: readonly string[]): string =>
  command
    .slice(0, command.indexOf('agent'))
    .flatMap((word) => (word.startsWith('/') ? [`ConditionPathExists=${word}\n`] : []))
    .join('')

/** What neither needs. */
const jail = `ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
LockPersonality=yes
UMask=0077
`

/** Both units keep it: it outlives either. */
const sharedRunFolder = ({ run }: KeepalivedFiles): string => `RuntimeDirectory=${basename(run)}
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
`
