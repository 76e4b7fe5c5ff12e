import type { Outcome } from '../../src/lib/exec.ts'
import type { LabMachine } from './labMachine.ts'
import { checkoutBind } from './program.ts'

/** Options for vitest on a machine: the checkout is read-only there, and all tests share the machine's units. */
const alone = ['--configLoader=native', '--no-file-parallelism']
const testsMs = 300_000

/** Runs test files of this checkout on the machine itself, which must have `checkoutBind`. */
export async function testInside(machine: LabMachine, files: string[]): Promise<Outcome> {
  const vitest = `${checkoutBind.to}/node_modules/vitest/vitest.mjs`
  const within = ['env', '-C', checkoutBind.to, 'TANDEM_LAB_MACHINE=1', 'NO_COLOR=1']
  const command = [...within, 'node', '--disable-warning=ExperimentalWarning', vitest, 'run', ...alone, ...files]
  return machine.run(command, { timeoutMs: testsMs })
}
