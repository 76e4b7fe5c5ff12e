import type { Event } from '../events/event.ts'
import type { Decision, Refusal, StartMaintenance } from './command.ts'
import { aloneAtAddresses } from './addressHolders.ts'
import { isRunning, leftOut, type Maintenance } from './maintenanceState.ts'
import type { Observed } from './observed.ts'
import { refuse } from './refuse.ts'
import { lastServedBy, lastWorkerOn, machineBusy } from './serviceView.ts'
import type { State } from './state.ts'

export function startMaintenance(state: State, observed: Observed, command: StartMaintenance): Decision {
  const { machines, force, restart } = command
  if (state.maintenance && isSame(state.maintenance, command)) {
    if (state.maintenance.state === 'running') return { type: 'nothing' }
    if (state.maintenance.state === 'stopped') return resumeMaintenance(state, observed, force)
  }
  const refusal =
    machines.map((machine) => refuseMachine(state, machine)).find((one) => one !== null) ??
    refuseBusy(state, machines[0] ?? '') ??
    (force ? null : refuseOutage(state, observed, beforeTakenOver(state, machines), restart))
  if (refusal) return refusal
  const { maintenance, kind, script } = command
  const data = { maintenance, kind, machines, script, restart, allowOutage: force }
  return { type: 'accepted', events: [{ type: 'MaintenanceStarted', data }] }
}

/** Machines after a machine that is put back first are checked when their part begins. */
function beforeTakenOver(state: State, machines: string[]): string[] {
  const out = leftOut(state)
  return out !== null && machines.includes(out) ? machines.slice(0, machines.indexOf(out)) : machines
}

const isSame = (one: Maintenance, other: StartMaintenance): boolean =>
  one.kind === other.kind &&
  one.restart === other.restart &&
  one.script?.text === other.script?.text &&
  one.machines.join() === other.machines.join()

/** `force`: from here on the maintenance may interrupt services; finished work stays finished. */
export function resumeMaintenance(state: State, observed: Observed, force: boolean): Decision {
  const { maintenance } = state
  if (maintenance?.state !== 'stopped')
    return noneStopped(maintenance ? `the last one is ${maintenance.state}` : 'none was started')
  const { id, at, restart, attempt } = maintenance
  const allowOutage = maintenance.allowOutage || force
  // The machine came back after the maintenance had given up on it: finished work is not repeated.
  const work = observed[at?.machine ?? '']?.report.maintenance
  const isDone = at?.step === 'work' && work?.id === id && work.attempt === attempt && work.ok === true
  const isAnew = at && !isDone && (at.step === 'drain' || at.step === 'work')
  const refusal =
    (at ? refuseMachine(state, at.machine, true) : null) ??
    refuseBusy(state, at?.machine ?? id) ??
    (isAnew && !allowOutage ? refuseOutage(state, observed, [at.machine], restart) : null)
  if (refusal) return refusal
  const checking: Event[] = isDone
    ? [{ type: 'MaintenanceStepped', data: { maintenance: id, machine: at.machine, step: 'check' } }]
    : []
  const resumed: Event = { type: 'MaintenanceResumed', data: { maintenance: id, ...(force ? { force } : {}) } }
  // An operator has put the machine back in traffic meanwhile.
  const isBack = isAnew && state.machines[at.machine]?.traffic === 'ready'
  const drained: Event[] = isBack
    ? [{ type: 'MachineDrainStarted', data: { machine: at.machine, force: allowOutage } }]
    : []
  return { type: 'accepted', events: [...checking, resumed, ...drained] }
}

export function stopMaintenance({ maintenance }: State): Decision {
  if (!isRunning(maintenance)) return { type: 'nothing' }
  const data = { maintenance: maintenance.id, machine: maintenance.at?.machine ?? null, reason: 'stopped by hand' }
  return { type: 'accepted', events: [{ type: 'MaintenanceStopped', data }] }
}

/** The refusal while another operation on machines is in progress, in words. */
export function refuseBusy(state: State, subject: string): Refusal | null {
  const busy = machineBusy(state)
  if (isRunning(state.maintenance)) {
    const { id, kind, machines } = state.maintenance
    const next = 'wait for it (tandem maintenance), or: tandem maintenance stop'
    return refuse(
      'E_MACHINE_BUSY',
      `${kind} ${id} of ${machines.join(', ')} is in progress; one at a time`,
      subject,
      next,
    )
  }
  if (state.upgrade) {
    const message = `upgrade ${state.upgrade.id} of Tandem itself is in progress; one machine operation at a time`
    return refuse('E_MACHINE_BUSY', message, subject, 'wait for it: tandem upgrade --show')
  }
  if (!busy) return null
  const next = `wait for it, or: tandem machine ready ${busy}`
  return refuse('E_MACHINE_BUSY', `machine ${busy} is being drained; one at a time`, subject, next)
}

export function noSuchMachine(state: State, name: string): Refusal {
  const known = Object.keys(state.machines).sort().join(', ') || 'none yet'
  return refuse('E_NO_SUCH_MACHINE', `there is no machine ${name}`, name, `machines: ${known}`)
}

/** Refuses to interrupt something that no other machine could do meanwhile. `stops`: the machine's workers end, too. */
export function refuseOutage(state: State, observed: Observed, machines: string[], stops: boolean): Refusal | null {
  const workers = stops ? machines.map((machine) => refuseLastWorker(state, machine)) : []
  const worker = workers.find((one) => one !== null) ?? null
  return refuseLast(state, machines) ?? worker ?? refuseLastHolder(state, observed, machines[0] ?? '')
}

/** Checks only the first machine: the next ones are checked when their part begins. */
function refuseLastHolder(state: State, observed: Observed, machine: string): Refusal | null {
  if (state.machines[machine]?.traffic !== 'ready') return null
  const why = aloneAtAddresses(state, observed, machine)
  if (why === null) return null
  const next = 'fix that first (tandem status), or pass --force to leave the addresses without a holder meanwhile'
  return refuse('E_LAST_INSTANCE', `only machine ${machine} can hold the virtual addresses: ${why}`, machine, next)
}

function refuseLast(state: State, machines: string[]): Refusal | null {
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
function refuseLastWorker(state: State, machine: string): Refusal | null {
  const last = lastWorkerOn(state, machine)
  if (last === null) return null
  const next = `let it run on another machine too, or pass --force to stop ${last}`
  return refuse('E_LAST_INSTANCE', `machine ${machine} has the last ready instance of ${last}`, machine, next)
}

function refuseMachine(state: State, name: string, mayBeLost = false): Refusal | null {
  const machine = state.machines[name]
  if (!machine) return noSuchMachine(state, name)
  if (!machine.lost || mayBeLost) return null
  return refuse('E_MACHINE_LOST', `machine ${name} is lost`, name, 'tandem machines   shows since when')
}

const noneStopped = (why: string): Refusal =>
  refuse('E_NO_MAINTENANCE', `no maintenance waits to be resumed: ${why}`, 'maintenance', 'tandem maintenance')
