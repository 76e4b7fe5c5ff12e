import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { OperatorError } from '../../lib/operatorError.ts'

/** One of Tandem's own parts, as a systemd unit. */
export interface PartUnit {
  /** `tandem-agent.service`. */
  name: string
  description: string
  /** The whole command line; words hold no spaces. */
  argv: readonly string[]
  env: Readonly<Record<string, string>>
}

const folder = '/etc/systemd/system'
const withinMs = 60_000

/**
 * A unit file a person can read. `Restart=always` without a start limit: at three in the morning an agent that crashed six
 * times must still come back by itself. `KillMode=process`: what it started is not its to take along.
 */
export function partUnitFile({ description, argv, env }: PartUnit): string {
  const environment = Object.entries(env).map(([name, value]) => `Environment=${name}=${value}\n`)
  return `# Written by Tandem; docs/files.md says what else it writes.
[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${argv.join(' ')}
${environment.join('')}Restart=always
RestartSec=1
KillMode=process
TimeoutStopSec=30
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`
}

/** Whether this machine is run by systemd and this user may add units. */
export const mayInstallUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0

/** Writes, enables and starts it; one that runs already is started anew. */
export function installUnit(unit: PartUnit): void {
  const bad = unit.argv.find((word) => !/^[\w@%+=:,./-]+$/.test(word))
  if (bad !== undefined) {
    throw new OperatorError('E_USAGE', `"${bad}" cannot stand in a unit file`, {
      subject: unit.name,
      next: 'use a path of letters, digits, dots, dashes and slashes',
    })
  }
  writeFileSync(`${folder}/${unit.name}`, partUnitFile(unit).replaceAll('%', '%%'), { mode: 0o644 })
  systemctl('daemon-reload')
  systemctl('enable', unit.name)
  systemctl('restart', unit.name)
}

function systemctl(...args: string[]): void {
  try {
    execFileSync('systemctl', args, { timeout: withinMs, stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause)
    throw new OperatorError('E_ENVIRONMENT', `systemctl ${args.join(' ')} failed: ${said}`, {
      subject: args.at(-1) ?? 'systemctl',
      next: `journalctl -u ${args.at(-1)} -n 50   may say more`,
      cause,
    })
  }
}
