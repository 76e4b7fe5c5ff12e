import { existsSync } from 'node:fs'
import { OperatorError } from '../../lib/operatorError.ts'
import { installUnit, systemctl } from '../../lib/systemdUnits.ts'

/** One of Tandem's own parts, as a systemd unit. */
export interface PartUnit {
  /** `tandem-agent.service`. */
  name: string
  description: string
  /** The whole command line; words hold no spaces. */
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  /** More lines of its section `[Service]`. */
  lines?: readonly string[]
}

/**
 * A unit file a person can read. `Restart=always` without a start limit: at three in the morning an agent that crashed six
 * times must still come back by itself. `KillMode=process`: what it started is not its to take along.
 */
export function partUnitFile({ description, argv, env, lines = [] }: PartUnit): string {
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
${lines.map((line) => `${line}\n`).join('')}
[Install]
WantedBy=multi-user.target
`
}

/** Whether this machine is run by systemd and this user may add units. */
export const mayInstallUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0

/** Writes, enables and starts it; one that runs already is started anew. */
export async function installPart(unit: PartUnit): Promise<void> {
  const bad = unit.argv.find((word) => !/^[\w@%+=:,./-]+$/.test(word))
  if (bad !== undefined) {
    throw new OperatorError('E_USAGE', `"${bad}" cannot stand in a unit file`, {
      subject: unit.name,
      next: 'use a path of letters, digits, dots, dashes and slashes',
    })
  }
  try {
    await installUnit(unit.name, partUnitFile(unit).replaceAll('%', '%%'))
    await systemctl('restart', unit.name)
  } catch (cause) {
    throw new OperatorError('E_ENVIRONMENT', cause instanceof Error ? cause.message : String(cause), {
      subject: unit.name,
      next: `journalctl -u ${unit.name} -n 50   may say more`,
      cause,
    })
  }
}
