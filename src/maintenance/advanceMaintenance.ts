import { countsFrom } from '../decision/base.ts'
import { limits } from '../decision/limits.ts'
import type { Moment } from '../decision/moment.ts'
import { hasReported } from '../decision/observed.ts'
import type { Event, EventData } from '../events/event.ts'
import type { MaintenanceStep } from '../events/maintenanceEvents.ts'
import { definitionOf, lastServedBy, lastWorkerOn } from '../fleet/serving.ts'
import { silentPeers } from '../fleet/silentPeers.ts'
import { isRunning, type Maintenance, type MaintenanceWorld } from './state.ts'

type Part = NonNullable<Maintenance['at']>

/** The next step of the running maintenance, if there is one. */
export function advanceMaintenance(state: MaintenanceWorld, moment: Moment): Event[] {
  const { maintenance } = state
  if (!isRunning(maintenance)) return []
  const { at } = maintenance
  if (!at) return nextMachine(state, maintenance, moment)
  if (!state.machines[at.machine])
    return [stopped(maintenance, `machine ${at.machine} no longer belongs to the cluster`)]
  const outcome = outcomeOf(state, maintenance, at, moment)
  if (outcome.type === 'failed') return [stopped(maintenance, outcome.reason)]
  if (outcome.type === 'over') return outcome.events
  const late = moment.now !== null && moment.now >= maintenanceDeadline(state, moment)
  return late ? [stopped(maintenance, outcome.late)] : []
}

/** Milliseconds by the controller's clock; infinite when no maintenance is in progress. */
export function maintenanceDeadline(state: MaintenanceWorld, { directing }: Moment): number {
  const { maintenance } = state
  if (!isRunning(maintenance) || !maintenance.at) return Number.POSITIVE_INFINITY
  const { at } = maintenance
  const from = countsFrom(state, at.since)
  switch (at.step) {
    case 'drain': // the machine's own drain has the deadline
      return Number.POSITIVE_INFINITY
    case 'work':
      return from + (maintenance.script?.withinMs ?? 0) + (maintenance.restart ? limits.restartMs : limits.silenceMs)
    case 'check':
      return from + limits.silenceMs + longestWithin(state, at)
    case 'return':
      return from + (directing.moveMs(at.machine) ?? limits.acknowledgeMs)
  }
}

type Outcome =
  | { type: 'waiting'; late: string }
  | { type: 'over'; events: Event[] }
  | { type: 'failed'; reason: string }

const waiting = (late: string): Outcome => ({ type: 'waiting', late })
const over = (...events: Event[]): Outcome => ({ type: 'over', events })

function outcomeOf(state: MaintenanceWorld, maintenance: Maintenance, at: Part, moment: Moment): Outcome {
  const { observed, directing } = moment
  const { machine } = at
  const report = observed[machine]?.report
  switch (at.step) {
    case 'drain': {
      const { traffic } = state.machines[machine] ?? {}
      // An operator put the machine back meanwhile.
      if (traffic === 'ready')
        return { type: 'failed', reason: `machine ${machine} is back in traffic: ${whyBack(state, machine)}` }
      if (traffic !== 'drained') return waiting('')
      // Another machine may have failed while this one gave up its work.
      const last = maintenance.allowOutage || !at.wasReady ? [] : lastServedBy(state, [machine])
      if (last.length === 0) return over(stepped(maintenance, at, 'work'))
      const reason = `machine ${machine} has the last ready instance of ${last.join(', ')} now, and is back in traffic`
      return over({ type: 'MachineReadied', data: { machine } }, stopped(maintenance, reason))
    }
    case 'work': {
      const work = report?.maintenance
      const isOurs = work?.id === maintenance.id && work.attempt === maintenance.attempt
      if (isOurs && work.ok === false) return { type: 'failed', reason: `on machine ${machine}, ${work.reason}` }
      if (isOurs && work.ok === true) return over(stepped(maintenance, at, 'check'))
      return waiting(`machine ${machine} did not come back in time`)
    }
    case 'check': {
      const missing = notReady(state, at)
      const isSettled = hasReported(state, observed, machine) && state.machines[machine]?.lost === false
      if (!isSettled) return waiting(`machine ${machine} does not report`)
      if (missing) return waiting(`instance ${missing} was ready before and is not now`)
      const readied: Event[] =
        at.wasReady && isOut(state, machine) ? [{ type: 'MachineReadied', data: { machine } }] : []
      return over(...readied, stepped(maintenance, at, 'return'))
    }
    case 'return': {
      const isThere = report !== undefined && report.applied.balancer >= at.since.position
      const silent = silentPeers(state, observed, machine, at.since)
      const notBack = isThere ? directing.whyNotBack(machine, at.since, moment) : null
      if (isThere && silent.length === 0 && notBack === null) return over(stepped(maintenance, at, 'done'))
      if (notBack !== null) return waiting(notBack)
      return waiting(
        `the balancer of machine ${[...(isThere ? [] : [machine]), ...silent].join(', ')} did not apply the change`,
      )
    }
  }
}

/** An operator put the machine back, or draining it would have interrupted a service. */
function whyBack(state: MaintenanceWorld, machine: string): string {
  const last = lastServedBy(state, [machine])
  return last.length === 0 ? 'an operator put it back' : `it has the last ready instance of ${last.join(', ')} now`
}

function nextMachine(state: MaintenanceWorld, maintenance: Maintenance, moment: Moment): Event[] {
  const { id, machines, done, allowOutage } = maintenance
  const machine = machines.find((name) => !done.includes(name))
  if (machine === undefined) return [{ type: 'MaintenanceFinished', data: { maintenance: id } }]
  const known = state.machines[machine]
  if (!known) return [stopped(maintenance, `machine ${machine} no longer belongs to the cluster`)]
  if (known.lost) return [stopped(maintenance, `machine ${machine} is lost`)]
  if (Object.keys(state.turns).length > 0 || known.traffic === 'unforwarding' || known.traffic === 'draining') return []
  const last = allowOutage || known.traffic !== 'ready' ? [] : lastServedBy(state, [machine])
  if (last.length > 0)
    return [stopped(maintenance, `machine ${machine} has the last ready instance of ${last.join(', ')}`)]
  const isIn = known.traffic === 'ready'
  const alone = allowOutage || !isIn ? null : moment.directing.alone(machine, moment)
  if (alone) return [stopped(maintenance, alone.message)]
  const worker = maintenance.restart && !allowOutage && isIn ? lastWorkerOn(state, machine) : null
  if (worker !== null) return [stopped(maintenance, `machine ${machine} has the last ready instance of ${worker}`)]
  const wasReady = isIn || machine === maintenance.takesOver
  const begun: Event = {
    type: 'MaintenanceStepped',
    data: { maintenance: id, machine, step: 'drain', wasReady, expected: readyOn(state, machine) },
  }
  return isIn ? [begun, { type: 'MachineDrainStarted', data: { machine, force: allowOutage } }] : [begun]
}

const readyOn = (state: MaintenanceWorld, machine: string): string[] =>
  Object.values(state.instances).flatMap((one) => (one.machine === machine && one.state === 'ready' ? [one.id] : []))

const notReady = (state: MaintenanceWorld, { expected }: Part): string | undefined =>
  expected.find((id) => state.instances[id] !== undefined && state.instances[id].state !== 'ready')

const isOut = (state: MaintenanceWorld, machine: string): boolean => state.machines[machine]?.traffic !== 'ready'

const longestWithin = (state: MaintenanceWorld, { expected }: Part): number =>
  Math.max(
    0,
    ...expected.flatMap((id) => {
      const instance = state.instances[id]
      return instance ? [definitionOf(state, instance.release).health.withinMs] : []
    }),
  )

const stepped = ({ id }: Maintenance, { machine }: Part, step: MaintenanceStep): Event => {
  const data: EventData['MaintenanceStepped'] = { maintenance: id, machine, step }
  return { type: 'MaintenanceStepped', data }
}

const stopped = ({ id, at }: Maintenance, reason: string): Event => {
  return { type: 'MaintenanceStopped', data: { maintenance: id, machine: at?.machine ?? null, reason } }
}
