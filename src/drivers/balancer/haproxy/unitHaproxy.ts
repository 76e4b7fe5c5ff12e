import { basename } from 'node:path'
import { installUnit, isActive, lastWords, systemctl } from '../../../systemd/units.ts'
import type { HaproxyProcess } from './haproxyProcess.ts'
import { haproxyUnit } from '../../../layout/units.ts'

export interface UnitOptions {
  /** An absolute path: systemd requires that. */
  program?: string
  /** `RuntimeDirectory` of the unit: below `/run`. */
  runDir: string
  master: string
  /** Open files: each connection uses two, a forwarded one four. */
  openFiles: number
  /** The user it runs as from its start; `null`: root, until it has its ports. */
  user?: string | null
}

/** HAProxy as its own systemd unit: it outlives the agent, and systemd starts it after a reboot without an agent. */
export function unitHaproxy(options: UnitOptions): HaproxyProcess {
  const program = options.program ?? '/usr/sbin/haproxy'
  return {
    program,
    async ensureStarted(configPath) {
      await installUnit(haproxyUnit, unitFile({ ...options, program }, configPath))
      await systemctl('start', haproxyUnit)
    },
    isRunning: () => isActive(haproxyUnit),
    isFailing: async () => {
      const shown = await systemctl('show', '-p', 'ActiveState', '-p', 'SubState', '-p', 'Result', haproxyUnit)
      return failsToStart(shown)
    },
    lastWords: () => lastWords(haproxyUnit),
    end: () => Promise.resolve(), // services outlive their agent, and so does the balancer in front of them
  }
}

/** systemd waits before its next attempt, or has given up. A reboot or a kill alone is no failure of a start. */
export const failsToStart = (shown: string): boolean =>
  /^(?:ActiveState=failed|SubState=auto-restart)$/m.test(shown) && /^Result=(?:exit-code|protocol)$/m.test(shown)

export function unitFile(options: UnitOptions & { program: string }, configPath: string): string {
  const { program, master, runDir, openFiles, user = null } = options
  return `# Written by Tandem: changes made here are overwritten; use \`systemctl edit\` for your own.
[Unit]
Description=HAProxy of Tandem: takes requests for the services of this machine
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=${program} -Ws -S ${master},mode,${user === null ? '600' : '660'} -f ${configPath}
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
Restart=always
RestartSec=1s
SuccessExitStatus=143
LimitNOFILE=${openFiles}
RuntimeDirectory=${basename(runDir)}
RuntimeDirectoryMode=0711
RuntimeDirectoryPreserve=yes
OOMScoreAdjust=-500
${user === null ? '' : unprivileged(user)}NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes

[Install]
WantedBy=multi-user.target
`
}

/** The only privilege it needs beyond those of other users is to listen on ports below 1024. */
const unprivileged = (user: string): string => `User=${user}
Group=${user}
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
UMask=0007
`
