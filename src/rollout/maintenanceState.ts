import type { EventData, MaintenanceKind, MaintenanceStep } from '../events/event.ts'
import type { Asked, State } from './state.ts'

/*
 * MAINTENANCE takes machines out of traffic one after the other, works on each, and puts it back. At most one is running
 * in a cluster; meanwhile no turn begins, and none takes its next step while a machine is at work. A machine's part:
 *   drain   its traffic is taken away; over when it is drained
 *   work    it runs the script, and restarts where that is asked; over when it reports so for this attempt; that it
 *           falls silent meanwhile is what a restart looks like
 *   check   nothing changes; over when it reports, and every instance that was ready before is ready again
 *   return  it is put back in traffic, if it was in it; over when its balancer and those of the others have acknowledged
 * Then the next machine begins, once no turn is under way and it holds no service's last ready instance.
 *
 * It is `running` until every machine is done (`completed`), or until something fails, a deadline passes, or a person
 * stops it: then `stopped`, with that machine left as it is. A person resumes it: from `check` where the work was done,
 * else with that machine anew (a new attempt). The same asked for again is followed while it runs, and resumed when it stopped.
 */
export interface Maintenance {
  id: string
  kind: MaintenanceKind
  script: EventData['MaintenanceStarted']['script']
  restart: boolean
  allowOutage: boolean
  /** In order. */
  machines: string[]
  done: string[]
  at: Part | null
  attempt: number
  /** A machine that the one before has left out of traffic when it stopped: it goes back there with this one. */
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
  /** It was in traffic when its part began, and goes back there. Until a person changes its traffic after a stop. */
  wasReady: boolean
  /** Instances that were ready when its part began. */
  expected: string[]
}

export const isRunning = (maintenance: Maintenance | null): maintenance is Maintenance =>
  maintenance?.state === 'running'

/** The machine that one which stopped has left out of traffic, if nobody has changed its traffic since. */
export function leftOut({ maintenance, machines }: State): string | null {
  const { state, at } = maintenance ?? {}
  if (state !== 'stopped' || !at?.wasReady) return null
  return machines[at.machine]?.traffic === 'ready' ? null : at.machine
}
