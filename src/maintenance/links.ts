import { chainOf, type Links } from '../decision/links.ts'
import type { MaintenanceEvents } from '../events/maintenanceEvents.ts'

const { work } = chainOf
const whole = (maintenance: string): string => `maintenance ${maintenance}`

export const maintenanceLinks: Links<MaintenanceEvents> = {
  MaintenanceStarted: ({ maintenance }) => ({ opens: [whole(maintenance)] }),
  MaintenanceStepped: ({ maintenance, machine, step }) => ({
    in: [work(machine), whole(maintenance)],
    ...(step === 'done' ? { ends: [work(machine)] } : { opens: [work(machine)] }),
  }),
  MaintenanceStopped: ({ maintenance, machine }) => ({
    in: [...(machine === null ? [] : [work(machine)]), whole(maintenance)],
    ends: machine === null ? [] : [work(machine)],
  }),
  MaintenanceResumed: ({ maintenance }) => ({ in: [whole(maintenance)] }),
  MaintenanceFinished: ({ maintenance }) => ({ in: [whole(maintenance)], ends: [whole(maintenance)] }),
}
