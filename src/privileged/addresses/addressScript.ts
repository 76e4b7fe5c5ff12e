import { commandLimits, scriptEnvironment, scriptIn } from '../../drivers/address/command/commandAddress.ts'
import { exec } from '../../lib/exec.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { KnownMachine } from '../rootFolder.ts'
import { addressScriptUnit } from '../../layout/addresses.ts'

const marginMs = 30_000
const shownLines = 3

/**
 * Runs an operator's script in a separate unit: the privileged helper has no network access, and such scripts need it.
 * Only one script runs at a time: while the unit runs, systemd refuses a second start, which is retried.
 */
export async function runAddressScript(
  folder: string,
  known: KnownMachine,
  script: 'take' | 'release',
  addresses: readonly string[],
): Promise<void> {
  const path = scriptIn({ folder, machine: known.machine }, script)
  const environment = scriptEnvironment(known, addresses)
  const { scriptMs } = commandLimits
  const { code, out, err } = await exec(
    [
      ...['systemd-run', '--quiet', '--wait', '--pipe', '--collect', `--unit=${addressScriptUnit}`],
      ...[`--property=RuntimeMaxSec=${scriptMs}ms`, '--property=KillMode=control-group'],
      ...Object.entries(environment).map(([name, value]) => `--setenv=${name}=${value}`),
      ...['--', path],
    ],
    { timeoutMs: scriptMs + marginMs },
  )
  if (code === 0) return
  const said = (out + err).trim().split('\n').slice(-shownLines).join('; ')
  throw new OperatorError('E_ADDRESS_DRIVER', `${path} failed (exit status ${code})${said === '' ? '' : `: ${said}`}`, {
    subject: path,
    next: 'fix the script; Tandem runs it again every few seconds until it succeeds',
  })
}
