import type { LabMachine } from './labMachine.ts'

/**
 * Kills every process of these units (names separated by spaces, or patterns) after a while; `false`: there was none.
 */
export async function killUnits(machine: LabMachine, units: string, afterMs = 0): Promise<boolean> {
  const kill = `systemctl kill --kill-whom=all --signal=KILL ${units}`
  const { code } = await machine.run([
    'sh',
    '-c',
    `sleep ${afterMs / 1000}; systemctl is-active --quiet ${units} && ${kill}`,
  ])
  return code === 0
}
