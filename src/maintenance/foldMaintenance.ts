import type { Asked } from '../decision/base.ts'
import type { Folds, Recorded } from '../decision/room.ts'
import { leftOut, type Maintenance, type MaintenanceState, type MaintenanceWorld } from './state.ts'

type MaintenanceEvent = Recorded<
  'MaintenanceStarted' | 'MaintenanceStepped' | 'MaintenanceStopped' | 'MaintenanceResumed' | 'MaintenanceFinished'
>

export const maintenanceFolds = {
  MaintenanceStarted: evolveMaintenance,
  MaintenanceStepped: evolveMaintenance,
  MaintenanceStopped: evolveMaintenance,
  MaintenanceResumed: evolveMaintenance,
  MaintenanceFinished: evolveMaintenance,
  MachineDrainStarted: takenInHand,
  MachineReadied: takenInHand,
} satisfies Folds<MaintenanceWorld, MaintenanceState>

function evolveMaintenance(state: MaintenanceWorld, event: MaintenanceEvent, asked: Asked): MaintenanceState {
  if (event.type === 'MaintenanceStarted') {
    const { maintenance: id, ...about } = event.data
    const takesOver = leftOut(state)
    const fresh = { done: [], at: null, attempt: 1, takesOver, reason: null, finishedAt: null }
    return { maintenance: { ...about, id, ...fresh, state: 'running', startedAt: asked.at } }
  }
  if (!state.maintenance) return { maintenance: null }
  const maintenance = evolved(state.maintenance, event, asked)
  // An operator has put the machine back in traffic since the maintenance stopped: the machine returns to traffic.
  const isIn = event.type === 'MaintenanceResumed' && state.machines[maintenance.at?.machine ?? '']?.traffic === 'ready'
  const at = maintenance.at && { ...maintenance.at, wasReady: maintenance.at.wasReady || isIn }
  return { maintenance: { ...maintenance, at } }
}

/** An operator changes a machine's traffic: a stopped maintenance that left this machine no longer decides about it. */
function takenInHand(
  { maintenance }: MaintenanceWorld,
  { data: { machine } }: Recorded<'MachineDrainStarted' | 'MachineReadied'>,
): MaintenanceState {
  if (maintenance?.state !== 'stopped' || maintenance.at?.machine !== machine) return { maintenance }
  return { maintenance: { ...maintenance, at: { ...maintenance.at, wasReady: false } } }
}

function evolved(
  maintenance: Maintenance,
  event: Exclude<MaintenanceEvent, { type: 'MaintenanceStarted' }>,
  since: Asked,
): Maintenance {
  const { at } = maintenance
  switch (event.type) {
    case 'MaintenanceStepped': {
      const { machine, step, expected = at?.expected ?? [], wasReady = at?.wasReady ?? false } = event.data
      return step === 'done'
        ? { ...maintenance, at: null, done: [...maintenance.done, machine] }
        : { ...maintenance, at: { machine, step, since, expected, wasReady } }
    }
    case 'MaintenanceStopped':
      return { ...maintenance, state: 'stopped', reason: event.data.reason, finishedAt: since.at }
    case 'MaintenanceResumed':
      return {
        ...maintenance,
        state: 'running',
        reason: null,
        finishedAt: null,
        allowOutage: maintenance.allowOutage || event.data.force === true,
        attempt: maintenance.attempt + 1,
        // Work that was not done is done again; work that was done is checked again.
        at: at ? { ...at, since, step: at.step === 'work' ? 'drain' : at.step } : null,
      }
    case 'MaintenanceFinished':
      return { ...maintenance, state: 'completed', finishedAt: since.at }
  }
}
