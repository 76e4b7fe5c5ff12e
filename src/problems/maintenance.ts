import type { MaintenanceView } from '../api/maintenance.ts'
import type { StandingProblem } from '../api/overview.ts'
import type { Status } from '../api/views.ts'
import { problem } from './problem.ts'

/** Why a machine is out of traffic, where a stopped maintenance left it; `null`: none did. */
export function whyLeftOut({ maintenance, machines }: Status, name: string): StandingProblem | null {
  if (maintenance?.state !== 'stopped' || machineAt(maintenance) !== name) return null
  const state = machines.find((machine) => machine.name === name)?.state
  const subject = `machine ${name}`
  return problem({
    ...{ tone: 'warn', word: 'left out', subject, machine: name },
    text: `${subject} reports but is ${state}, because the ${maintenanceTitle(maintenance)} stopped there`,
    next: [
      { command: 'tandem maintenance resume', does: 'continues it' },
      { command: `tandem machine ready ${name}`, does: 'puts the machine back in traffic without it' },
    ],
  })
}

/** The machine at which the maintenance works or has stopped. */
export const machineAt = ({ machines }: MaintenanceView): string | null =>
  machines.find(({ state }) => state !== 'done' && state !== 'waiting')?.machine ?? null

/** `patch with patch.sh`, `reboot`. */
export const maintenanceTitle = ({ kind, script }: MaintenanceView): string =>
  script === null ? kind : `${kind} with ${script}`
