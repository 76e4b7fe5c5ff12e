import type { Asked } from '../decision/base.ts'
import type { Folds, Recorded } from '../decision/room.ts'
import { keepIf, without } from '../lib/records.ts'
import { evolveRollout } from './evolveRollout.ts'
import { evolveTurn } from './evolveTurn.ts'
import { recovered } from './recoveredState.ts'
import type { RolloutState, Service, State } from './state.ts'
import { usedGenerations } from './usedGenerations.ts'

type Rollouts = Partial<RolloutState>

/** Folds with a function that returns the whole state: only this room's part of it counts. */
const folded =
  <E>(fold: (state: State, event: E, asked: Asked) => State) =>
  (state: State, event: E, asked: Asked): RolloutState => {
    const { services, turns, rollouts, generations, loopbacks, laptopPorts, removedData } = fold(state, event, asked)
    return { services, turns, rollouts, generations, loopbacks, laptopPorts, removedData }
  }
const ofRollout = folded(evolveRollout)
const ofTurn = folded(evolveTurn)

export const rolloutFolds = {
  LogRecovered: recovered,
  LoopbackAssigned: ({ loopbacks, laptopPorts }, { data: { service, address, port } }) => ({
    loopbacks: { ...loopbacks, [service]: address },
    ...(port === undefined ? {} : { laptopPorts: { ...laptopPorts, [service]: port } }),
  }),
  RolloutStarted: ofRollout,
  ReleaseFetched: ofRollout,
  PrepareStarted: ofRollout,
  PrepareFinished: ofRollout,
  MachinePassedOver: ofRollout,
  RolloutReversed: ofRollout,
  RolloutFinished: ofRollout,
  ServiceRemoved: ofRollout,
  DataRemoved: ofRollout,
  TurnStarted: ofTurn,
  StepStarted: ofTurn,
  TurnFinished: ofTurn,
  InstanceStopped: instanceStopped,
  MachineReturned: ({ services }, { data: { machine } }) => ({ services: withoutMachine(services, machine) }),
  MachineRemoved: machineRemoved,
} satisfies Folds<State, RolloutState>

function instanceStopped(state: State, { data }: Recorded<'InstanceStopped'>): Rollouts {
  return { generations: usedGenerations({ ...state, instances: without(state.instances, data.instance) }) }
}

function machineRemoved(state: State, { data: { machine } }: Recorded<'MachineRemoved'>): Rollouts {
  const instances = keepIf(state.instances, (instance) => instance.machine !== machine)
  const removedData = Object.entries(state.removedData)
    .map(([service, machines]) => [service, machines.filter((name) => name !== machine)] as const)
    .filter(([, machines]) => machines.length > 0)
  return {
    turns: keepIf(state.turns, (turn) => turn.machine !== machine),
    services: withoutMachine(state.services, machine),
    removedData: Object.fromEntries(removedData),
    generations: usedGenerations({ ...state, instances }),
  }
}

/** A machine that returns gets another try at catching up; a removed one is nobody's business any more. */
function withoutMachine(services: RolloutState['services'], machine: string): RolloutState['services'] {
  const others = (names: string[]): string[] => names.filter((name) => name !== machine)
  const changed = ([name, service]: [string, Service]): [string, Service] => [
    name,
    { ...service, behind: others(service.behind), leftAlone: others(service.leftAlone) },
  ]
  return Object.fromEntries(Object.entries(services).map(changed))
}
