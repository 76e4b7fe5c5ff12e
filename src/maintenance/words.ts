import { change, step, type Words } from '../decision/words.ts'
import type { MaintenanceEvents, MaintenanceStep } from '../events/maintenanceEvents.ts'

const steps: Record<MaintenanceStep, string> = {
  drain: 'is drained for maintenance',
  work: 'is worked on',
  check: 'is checked after its maintenance',
  return: 'gets traffic again after its maintenance',
  done: 'is done with maintenance',
}

export const maintenanceWords: Words<MaintenanceEvents> = {
  MaintenanceStarted: ({ kind, machines, script }) =>
    change(
      'running',
      'maintenance',
      `began: ${script ? `${kind} with ${script.name}` : kind} of ${machines.join(', ')}`,
    ),
  MaintenanceStepped: ({ machine, step: at }) =>
    step(at === 'done' ? 'done' : 'running', `machine ${machine}`, steps[at], { machine }),
  MaintenanceStopped: ({ machine, reason }) =>
    change('failed', 'maintenance', `stopped${machine === null ? '' : ` at machine ${machine}`}: ${reason}`, {
      machine,
    }),
  MaintenanceResumed: ({ force }) =>
    change('running', 'maintenance', force === true ? 'goes on, and may interrupt services' : 'goes on'),
  MaintenanceFinished: () => change('done', 'maintenance', 'is finished'),
}
