import { existsSync } from 'node:fs'
import { OperatorError } from '../../lib/operatorError.ts'
import { installUnit, systemctl } from '../../systemd/units.ts'

/** A systemd unit that runs one of Tandem's own parts. */
export interface PartUnit {
  /** `tandem-agent.service`. */
  name: string
  description: string
  /** The whole command line; no word contains a space. */
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  /** Additional lines of the section `[Service]`. */
  lines?: readonly string[]
}

/**
 * A readable unit file. `Restart=always` without a start limit: an agent that crashed six times at three in the morning
 * must still restart automatically. `KillMode=process`: processes that the part started must outlive it.
 */
export function partUnitFile({ description, argv, env, lines = [] }: PartUnit): string {
  const environment = Object.entries(env).map(([name, value]) => `Environment=${name}=${value}\n`)
  return `# Written by Tandem; docs/files.md lists all files that Tandem writes.
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

/** True if systemd runs this machine and this process has root privileges. */
export const mayInstallUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0

/** Writes, enables and starts the unit; restarts it if it runs already. */
export async function installPart(unit: PartUnit): Promise<void> {
  const bad = unit.argv.find((word) => !/^[\w@%+=:,./-]+$/.test(word))
  if (bad !== undefined) {
    throw new OperatorError('E_USAGE', `"${bad}" is not allowed in a unit file`, {
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
      next: `journalctl -u ${unit.name} -n 50   shows its last messages`,
      cause,
    })
  }
}
