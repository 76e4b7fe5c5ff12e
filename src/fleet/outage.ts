import type { Moment } from '../decision/moment.ts'
import { refuse, type Refusal } from '../decision/refuse.ts'
import { lastServedBy, lastWorkerOn } from './serving.ts'
import type { FleetWorld } from './state.ts'

/** Refuses to interrupt something that no other machine could do meanwhile. `stops`: the machine's workers end, too. */
export function refuseOutage(state: FleetWorld, moment: Moment, machines: string[], stops: boolean): Refusal | null {
  const workers = stops ? machines.map((machine) => refuseLastWorker(state, machine)) : []
  const worker = workers.find((one) => one !== null) ?? null
  return refuseLast(state, machines) ?? worker ?? refuseLastHolder(state, moment, machines[0] ?? '')
}

/** Checks only the first machine: the next ones are checked when their part begins. */
function refuseLastHolder(state: FleetWorld, moment: Moment, machine: string): Refusal | null {
  if (state.machines[machine]?.traffic !== 'ready') return null
  const objection = moment.directing.alone(machine, moment)
  return objection && refuse('E_LAST_INSTANCE', objection.message, machine, objection.next)
}

function refuseLast(state: FleetWorld, machines: string[]): Refusal | null {
  for (const machine of machines) {
    if (state.machines[machine]?.traffic !== 'ready') continue
    const last = lastServedBy(state, [machine]).join(', ')
    if (last === '') continue
    const next = `bring another machine back first (tandem machines), or pass --force to interrupt ${last}`
    return refuse('E_LAST_INSTANCE', `machine ${machine} has the last ready instance of ${last}`, machine, next)
  }
  return null
}

/** Taking a machine out of traffic leaves its workers running; stopping them may stop the only one. */
function refuseLastWorker(state: FleetWorld, machine: string): Refusal | null {
  const last = lastWorkerOn(state, machine)
  if (last === null) return null
  const next = `let it run on another machine too, or pass --force to stop ${last}`
  return refuse('E_LAST_INSTANCE', `machine ${machine} has the last ready instance of ${last}`, machine, next)
}
