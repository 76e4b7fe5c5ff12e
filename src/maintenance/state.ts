import type { EventData } from '../events/event.ts'
import type { MaintenanceKind, MaintenanceStep } from '../events/maintenanceEvents.ts'
import type { Asked } from '../decision/base.ts'
import type { FleetWorld } from '../fleet/state.ts'

/*
 * MAINTENANCE takes machines out of traffic one after the other, works on each, and puts it back. At most one
 * maintenance runs in a cluster. Meanwhile no turn begins, and no turn takes its next step while a machine is being
 * worked on. A machine's part has these steps:
 *   drain   The machine leaves the traffic; ends when the machine is drained.
 *   work    The machine runs the script, and restarts if requested; ends when the machine reports so for this attempt.
 *           A machine that restarts is silent for a while.
 *   check   Nothing changes; ends when the machine reports, and every instance that was ready before is ready again.
 *   return  The machine is put back in traffic, if it was in traffic; ends when its balancer and those of the other
 *           machines have acknowledged.
 * Then the next machine begins, once no turn is in progress and that machine holds no service's last ready instance.
 *
 * A maintenance is `running` until every machine is done (`completed`), or until something fails, a deadline passes, or
 * an operator stops it: then it is `stopped`, and that machine is left unchanged. An operator resumes it: from `check`
 * where the work was done, otherwise with that machine from the start (a new attempt). The same request again follows a
 * running maintenance, and resumes a stopped one.
 */
export interface MaintenanceState {
  /** The running maintenance, or the last one. */
  maintenance: Maintenance | null
}

export type MaintenanceWorld = FleetWorld & MaintenanceState

export interface Maintenance {
  id: string
  kind: MaintenanceKind
  script: EventData['MaintenanceStarted']['script']
  restart: boolean
  allowOutage: boolean
  /** In the order of their turns. */
  machines: string[]
  done: string[]
  at: Part | null
  attempt: number
  /**
   * A machine that the previous maintenance left out of traffic when it stopped: it returns to traffic with this
   * maintenance.
   */
  takesOver: string | null
  state: 'running' | 'stopped' | 'completed'
  reason: string | null
  startedAt: number
  finishedAt: number | null
}

interface Part {
  machine: string
  step: Exclude<MaintenanceStep, 'done'>
  since: Asked
  /**
   * The machine was in traffic when its part began, and returns there. Holds until an operator changes its traffic
   * after a stop.
   */
  wasReady: boolean
  /** Instances that were ready when the part began. */
  expected: string[]
}

export const isRunning = (maintenance: Maintenance | null): maintenance is Maintenance =>
  maintenance?.state === 'running'

/** The machine that a stopped maintenance left out of traffic, unless its traffic was changed since. */
export function leftOut({ maintenance, machines }: MaintenanceWorld): string | null {
  const { state, at } = maintenance ?? {}
  if (state !== 'stopped' || !at?.wasReady) return null
  return machines[at.machine]?.traffic === 'ready' ? null : at.machine
}
