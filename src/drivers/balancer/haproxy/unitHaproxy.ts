import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { writeFileDurably } from '../../../lib/durableFile.ts'
import type { HaproxyProcess } from './haproxyProcess.ts'
import { runProgram } from '../../../lib/runProgram.ts'

export interface UnitOptions {
  /** Absolute: systemd wants that. */
  program?: string
  /** The unit file is written there. */
  unitFolder?: string
  unit?: string
  /** `RuntimeDirectory` of the unit: below `/run`. */
  runDir: string
  master: string
  /** Open files: each connection takes two, a forwarded one four. */
  openFiles: number
}

/** Bound on each call of systemctl. */
const systemctlMs = 30_000

/** HAProxy as a systemd unit of its own: it outlives the agent, and a reboot starts it without one. */
export function unitHaproxy(options: UnitOptions): HaproxyProcess {
  const program = options.program ?? '/usr/sbin/haproxy'
  const unit = options.unit ?? 'tandem-haproxy.service'
  const path = `${options.unitFolder ?? '/etc/systemd/system'}/${unit}`
  return {
    program,
    async ensureStarted(configPath) {
      const text = unitFile({ ...options, program }, configPath)
      if (contentOf(path) !== text) {
        writeFileDurably(path, text)
        await systemctl('daemon-reload')
        await systemctl('enable', unit)
      }
      await systemctl('start', unit)
    },
    async isRunning() {
      return (await runProgram('systemctl', ['is-active', '--quiet', unit], systemctlMs)).code === 0
    },
    async lastWords() {
      const { output } = await runProgram('journalctl', ['-u', unit, '-n', '5', '-o', 'cat', '--no-pager'], systemctlMs)
      return output.trim().split('\n').join('; ')
    },
    end: () => Promise.resolve(), // services outlive their agent, and so does what leads to them
  }
}

export function unitFile(options: UnitOptions & { program: string }, configPath: string): string {
  const { program, master, runDir, openFiles } = options
  return `# Written by Tandem: changes made here are overwritten; use \`systemctl edit\` for your own.
[Unit]
Description=HAProxy of Tandem: takes requests for the services of this machine
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=${program} -Ws -S ${master},mode,600 -f ${configPath}
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
NoNewPrivileges=yes
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

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

async function systemctl(...argv: string[]): Promise<void> {
  const { code, output } = await runProgram('systemctl', argv, systemctlMs)
  if (code !== 0) throw new Error(`systemctl ${argv.join(' ')} failed with status ${code}: ${output.trim()}`)
}
