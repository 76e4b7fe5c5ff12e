import { unlessBehind } from '../decision/behind.ts'
import type { Operation } from '../decision/moment.ts'
import { roomOf } from '../decision/room.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { MaintenanceEvents } from '../events/maintenanceEvents.ts'
import { advanceMaintenance, maintenanceDeadline } from './advanceMaintenance.ts'
import type { MaintenanceCommand } from './commands.ts'
import { resumeMaintenance, startMaintenance, stopMaintenance } from './decideMaintenance.ts'
import { maintenanceFolds } from './foldMaintenance.ts'
import { isRunning, type MaintenanceState, type MaintenanceWorld } from './state.ts'
import { maintenanceLinks } from './links.ts'
import { maintenanceWords } from './words.ts'

/** Machines are patched and restarted, one after the other. */
export const maintenance = roomOf<
  MaintenanceWorld,
  MaintenanceState,
  MaintenanceEvents,
  MaintenanceCommand,
  'maintenance'
>()({
  name: 'maintenance',
  words: maintenanceWords,
  links: maintenanceLinks,
  initial: { maintenance: null },
  folds: maintenanceFolds,
  advance: advanceMaintenance,
  deadline: maintenanceDeadline,
  operation: maintenanceInProgress,
  desire: desiredMaintenance,
  commands: {
    StartMaintenance: unlessBehind(startMaintenance),
    ResumeMaintenance: unlessBehind(resumeMaintenance),
    StopMaintenance: stopMaintenance,
  },
})

function maintenanceInProgress({ maintenance: current }: MaintenanceWorld): Operation | null {
  if (!isRunning(current)) return null
  const { id, kind, machines, at } = current
  return {
    ...{ room: 'maintenance', machine: at?.machine ?? null, holdsNewTurns: true },
    message: `${kind} ${id} of ${machines.join(', ')} is in progress; one at a time`,
    next: 'wait for it (tandem maintenance), or: tandem maintenance stop',
  }
}

function desiredMaintenance(
  { maintenance: current }: MaintenanceState,
  machine: string,
): Pick<MachineDesire, 'maintenance'> {
  if (!isRunning(current) || current.at?.machine !== machine || current.at.step !== 'work') return { maintenance: null }
  const { id, attempt, script, restart } = current
  return { maintenance: { id, attempt, script, restart } }
}
