import { unlessBehind } from '../decision/behind.ts'
import { limits } from '../decision/limits.ts'
import type { Moment, Operation } from '../decision/moment.ts'
import { heardAt } from '../decision/observed.ts'
import { roomOf } from '../decision/room.ts'
import type { FleetEvents } from '../events/fleetEvents.ts'
import { advanceMachines, machineDeadline } from './advanceMachines.ts'
import { applyCluster } from './applyCluster.ts'
import type { FleetCommand } from './commands.ts'
import { drainMachine, readyMachine } from './decideMachine.ts'
import { desiredMachine } from './desiredMachine.ts'
import { fleetFolds } from './folds.ts'
import { reportFacts } from './reportFacts.ts'
import type { FleetState, FleetWorld } from './state.ts'
import { fleetLinks } from './links.ts'
import { fleetWords } from './words.ts'

/** Machines, what runs on them, and who serves. */
export const fleet = roomOf<
  FleetWorld,
  FleetState,
  FleetEvents,
  FleetCommand,
  'machine' | 'peers' | 'settings' | 'drained'
>()({
  name: 'fleet',
  words: fleetWords,
  links: fleetLinks,
  initial: { cluster: null, machines: {}, removedMachines: {}, releases: {}, instances: {} },
  folds: fleetFolds,
  facts: reportFacts,
  advance: advanceMachines,
  deadline: fleetDeadline,
  operation: drainInProgress,
  desire: desiredMachine,
  commands: {
    DrainMachine: unlessBehind(drainMachine),
    ReadyMachine: unlessBehind(readyMachine),
    ApplyCluster: unlessBehind(applyCluster),
  },
})

function fleetDeadline(state: FleetWorld, moment: Moment): number {
  const machines = Object.values(state.machines)
  const silent = machines.filter(({ lost }) => !lost)
  return Math.min(
    ...silent.map(({ name }) => heardAt(state, moment.observed, name) + limits.silenceMs),
    ...machines.map((machine) => machineDeadline(state, machine, moment)),
  )
}

function drainInProgress({ machines }: FleetWorld): Operation | null {
  const draining = Object.values(machines).find(({ traffic }) => traffic === 'unforwarding' || traffic === 'draining')
  if (!draining) return null
  const { name } = draining
  return {
    ...{ room: 'fleet', machine: name, holdsNewTurns: true, isStep: true },
    message: `machine ${name} is being drained; one at a time`,
    next: `wait for it, or: tandem machine ready ${name}`,
  }
}
