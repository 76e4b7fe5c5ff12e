import { refuseBusy, type Moment } from '../decision/moment.ts'
import { accepted, refuse, type Decision, type Refusal } from '../decision/refuse.ts'
import type { FleetCommand } from './commands.ts'
import { refuseOutage } from './outage.ts'
import type { FleetState, FleetWorld } from './state.ts'

type Command<T extends FleetCommand['type']> = Extract<FleetCommand, { type: T }>

export function drainMachine(
  state: FleetWorld,
  { machine: name, force, stop = false }: Command<'DrainMachine'>,
  moment: Moment,
): Decision {
  const machine = state.machines[name]
  if (!machine) return noSuchMachine(state, name)
  const isSame = machine.traffic !== 'ready' && (machine.runsNothing || !stop)
  if (isSame) return { type: 'nothing' }
  const busy = refuseBusy(moment, name)
  if (busy) return busy
  const last = force ? null : refuseOutage(state, moment, [name], stop)
  return last ?? accepted({ type: 'MachineDrainStarted', data: { machine: name, ...(stop ? { stop } : {}), force } })
}

export function readyMachine(state: FleetWorld, { machine: name }: Command<'ReadyMachine'>): Decision {
  const machine = state.machines[name]
  if (!machine) return noSuchMachine(state, name)
  if (machine.traffic === 'ready') return { type: 'nothing' }
  return accepted({ type: 'MachineReadied', data: { machine: name } })
}

/** Refuses unless the cluster knows each of `machines`. */
export function refuseUnknownMachine(state: FleetState, machines: readonly string[]): Refusal | null {
  const unknown = machines.find((machine) => !Object.hasOwn(state.machines, machine))
  return unknown === undefined ? null : noSuchMachine(state, unknown)
}

export function noSuchMachine(state: FleetState, name: string): Refusal {
  const known = Object.keys(state.machines).sort().join(', ') || 'none yet'
  return refuse('E_NO_SUCH_MACHINE', `there is no machine ${name}`, name, `machines: ${known}`)
}
