import { commandLimits, scriptEnvironment, scriptIn } from '../drivers/address/command/commandAddress.ts'
import { exec } from '../lib/exec.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { KnownMachine } from './rootFolder.ts'

/** One at a time: a second one is refused by systemd while the first runs, and tried again. */
const unit = 'tandem-address-script.service'
const marginMs = 30_000
const shownLines = 3

/** Runs a script of the operator's as a unit of its own: the root part itself talks to no network, and these do. */
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
      ...['systemd-run', '--quiet', '--wait', '--pipe', '--collect', `--unit=${unit}`],
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
    next: 'mend the script; it is run again every few seconds until it succeeds',
  })
}
