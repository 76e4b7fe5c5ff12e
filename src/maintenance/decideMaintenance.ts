import { refuseBusy, type Moment } from '../decision/moment.ts'
import { refuse, type Decision, type Refusal } from '../decision/refuse.ts'
import type { Event } from '../events/event.ts'
import { noSuchMachine } from '../fleet/decideMachine.ts'
import { refuseOutage } from '../fleet/outage.ts'
import type { MaintenanceCommand, StartMaintenance } from './commands.ts'
import { isRunning, leftOut, type Maintenance, type MaintenanceWorld } from './state.ts'

export function startMaintenance(state: MaintenanceWorld, asked: StartMaintenance, moment: Moment): Decision {
  const command = { ...asked, machines: machinesOf(state, asked) }
  const { machines, force, restart } = command
  if (state.maintenance && isSame(state.maintenance, command)) {
    if (state.maintenance.state === 'running') return { type: 'nothing' }
    if (state.maintenance.state === 'stopped') return resumeMaintenance(state, { force }, moment)
  }
  const refusal =
    refuseUnable(machines, moment) ??
    refuseNone(state, machines) ??
    machines.map((machine) => refuseMachine(state, machine)).find((one) => one !== null) ??
    refuseBusy(moment, machines[0] ?? '') ??
    (force ? null : refuseOutage(state, moment, beforeTakenOver(state, machines), restart))
  if (refusal) return refusal
  const { maintenance, kind, script } = command
  const data = { maintenance, kind, machines, script, restart, allowOutage: force }
  return { type: 'accepted', events: [{ type: 'MaintenanceStarted', data }] }
}

const machinesOf = ({ machines }: MaintenanceWorld, { machines: named }: StartMaintenance): string[] =>
  named.length > 0 ? [...new Set(named)] : Object.keys(machines).toSorted()

/** A machine reports whether its agent can maintain it: not on a laptop. */
function refuseUnable(machines: string[], { observed }: Moment): Refusal | null {
  const unable = machines.find((machine) => observed[machine]?.report.maintains === false)
  if (unable === undefined) return null
  const next = 'Tandem can restart only machines that joined and run their services under systemd'
  return refuse('E_CANNOT_MAINTAIN', `the agent of machine ${unable} cannot maintain its machine`, unable, next)
}

function refuseNone({ config }: MaintenanceWorld, machines: string[]): Refusal | null {
  if (machines.length > 0) return null
  const next = 'tandem machine add NAME   prints the command with which a machine joins'
  return refuse('E_NO_SUCH_MACHINE', 'no machine has joined yet', config.cluster, next)
}

/** Machines after a machine that is put back first are checked when their part begins. */
function beforeTakenOver(state: MaintenanceWorld, machines: string[]): string[] {
  const out = leftOut(state)
  return out !== null && machines.includes(out) ? machines.slice(0, machines.indexOf(out)) : machines
}

const isSame = (one: Maintenance, other: StartMaintenance): boolean =>
  one.kind === other.kind &&
  one.restart === other.restart &&
  one.script?.text === other.script?.text &&
  one.machines.join() === other.machines.join()

/** `force`: from here on the maintenance may interrupt services; finished work stays finished. */
export function resumeMaintenance(
  state: MaintenanceWorld,
  { force }: Pick<Extract<MaintenanceCommand, { type: 'ResumeMaintenance' }>, 'force'>,
  moment: Moment,
): Decision {
  const { maintenance } = state
  if (maintenance?.state !== 'stopped')
    return noneStopped(maintenance ? `the last one is ${maintenance.state}` : 'none was started')
  const { id, at, restart, attempt } = maintenance
  const allowOutage = maintenance.allowOutage || force
  // The machine came back after the maintenance had given up on it: finished work is not repeated.
  const work = moment.observed[at?.machine ?? '']?.report.maintenance
  const isDone = at?.step === 'work' && work?.id === id && work.attempt === attempt && work.ok === true
  const isAnew = at && !isDone && (at.step === 'drain' || at.step === 'work')
  const refusal =
    (at ? refuseMachine(state, at.machine, true) : null) ??
    refuseBusy(moment, at?.machine ?? id) ??
    (isAnew && !allowOutage ? refuseOutage(state, moment, [at.machine], restart) : null)
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

export function stopMaintenance({ maintenance }: MaintenanceWorld): Decision {
  if (!isRunning(maintenance)) return { type: 'nothing' }
  const data = { maintenance: maintenance.id, machine: maintenance.at?.machine ?? null, reason: 'stopped by hand' }
  return { type: 'accepted', events: [{ type: 'MaintenanceStopped', data }] }
}

function refuseMachine(state: MaintenanceWorld, name: string, mayBeLost = false): Refusal | null {
  const machine = state.machines[name]
  if (!machine) return noSuchMachine(state, name)
  if (!machine.lost || mayBeLost) return null
  return refuse('E_MACHINE_LOST', `machine ${name} is lost`, name, 'tandem machines   shows since when')
}

const noneStopped = (why: string): Refusal =>
  refuse('E_NO_MAINTENANCE', `no maintenance waits to be resumed: ${why}`, 'maintenance', 'tandem maintenance')
