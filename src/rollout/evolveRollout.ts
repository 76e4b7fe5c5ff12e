import type { EventData, RecordedEvent } from '../events/event.ts'
import { change, keepIf, without } from '../lib/records.ts'
import type { Asked } from '../decision/base.ts'
import { completedKept, type Rollout, type RolloutMachine, type Service, type State } from './state.ts'
import { featureRejections } from './features.ts'
import { usedGenerations } from './usedGenerations.ts'

type RolloutEvent = Extract<
  RecordedEvent,
  {
    type:
      | 'RolloutStarted'
      | 'ReleaseFetched'
      | 'PrepareStarted'
      | 'PrepareFinished'
      | 'MachinePassedOver'
      | 'RolloutReversed'
      | 'RolloutFinished'
      | 'ServiceRemoved'
      | 'DataRemoved'
  }
>

export function evolveRollout(state: State, event: RolloutEvent, asked: Asked): State {
  const set = (id: string, with_: (rollout: Rollout) => Rollout): State => ({
    ...state,
    rollouts: change(state.rollouts, id, with_),
  })
  const setMachine = (id: string, machine: string, with_: (machine: RolloutMachine) => RolloutMachine): State =>
    set(id, (rollout) => ({ ...rollout, machines: change(rollout.machines, machine, with_) }))

  switch (event.type) {
    case 'RolloutStarted':
      return started(state, event.data, asked)
    case 'ReleaseFetched':
      return setMachine(event.data.rollout, event.data.machine, (machine) => ({ ...machine, fetched: true }))
    case 'PrepareStarted':
      return set(event.data.rollout, (rollout) => ({
        ...rollout,
        stage: 'preparing',
        stageSince: asked,
        prepare: { machine: event.data.machine, done: false },
      }))
    case 'PrepareFinished':
      return set(event.data.rollout, (rollout) => ({
        ...rollout,
        stage: 'turns',
        stageSince: asked,
        prepare: { machine: event.data.machine, done: true },
      }))
    case 'MachinePassedOver':
      return setMachine(event.data.rollout, event.data.machine, (machine) => ({ ...machine, state: 'lost' }))
    case 'RolloutReversed': {
      const { rollout: id, service, reason, machine, aborted } = event.data
      const turns = keepIf(state.turns, (turn) => turn.service !== service)
      const reverse = (with_: (rollout: Rollout) => Rollout): State => ({ ...set(id, with_), turns })
      return reverse((rollout) => ({
        ...rollout,
        stage: 'returning',
        stageSince: asked,
        reason,
        aborted,
        failedMachine: machine,
        machines: Object.fromEntries(
          Object.entries(rollout.machines).map(([name, part]) => [
            name,
            part.state === 'waiting' ? { ...part, state: 'untouched' } : part,
          ]),
        ),
      }))
    }
    case 'RolloutFinished':
      return finished(state, event.data, asked)
    case 'ServiceRemoved':
      return removed(state, event.data)
    case 'DataRemoved': {
      const { service, machine } = event.data
      const left = (state.removedData[service] ?? []).filter((name) => name !== machine)
      const removedData = { ...without(state.removedData, service), ...(left.length > 0 ? { [service]: left } : {}) }
      return { ...state, removedData }
    }
  }
}

function started(state: State, data: EventData['RolloutStarted'], asked: Asked): State {
  const known = state.services[data.service]
  const service: Service = {
    ...{ current: null, stopped: false, completed: [], behind: [] },
    ...known,
    ...{ name: data.service, rollout: data.rollout, lastRollout: data.rollout, leftAlone: [] },
  }
  const part: RolloutMachine = { state: 'waiting', fetched: false, named: 0 }
  const rollout: Rollout = {
    id: data.rollout,
    service: data.service,
    kind: data.kind,
    release: data.release,
    previous: data.previous,
    allowOutage: data.allowOutage,
    removeData: data.removeData,
    stage: data.kind === 'stop' || data.kind === 'remove' ? 'turns' : 'fetching',
    stageSince: asked,
    prepare: null,
    order: data.machines,
    machines: Object.fromEntries(data.machines.map((machine) => [machine, part])),
    outcome: null,
    aborted: false,
    reason: null,
    failure: null,
    failedMachine: null,
    returned: [],
  }
  const before = known?.lastRollout
  return {
    ...state,
    services: { ...state.services, [data.service]: service },
    rollouts: { ...(before ? without(state.rollouts, before) : state.rollouts), [data.rollout]: rollout },
    generations: {
      ...state.generations,
      [data.rollout]: {
        ...{ service: data.service, release: data.release, routes: data.routes },
        ...(data.pins ? { pins: data.pins } : {}),
      },
    },
    // A catch-up in progress gives up its turn: the rollout reaches every machine anyway.
    turns: keepIf(state.turns, (turn) => turn.service !== data.service),
    removedData: without(state.removedData, data.service),
  }
}

function finished(state: State, data: EventData['RolloutFinished'], asked: Asked): State {
  const rollout = state.rollouts[data.rollout]
  if (!rollout) return state
  const finish = (service: Service): Service => ({
    ...service,
    rollout: null,
    ...(data.state === 'completed' ? outcome(state, service, rollout) : {}),
    ...(data.state === 'reverted' ? rejectedBy(state, service, rollout.id) : {}),
  })
  return withUsedGenerations({
    ...state,
    services: change(state.services, data.service, finish),
    rollouts: change(state.rollouts, rollout.id, (last) => ({
      ...last,
      stage: 'finished',
      stageSince: asked,
      outcome: data.state,
      reason: data.reason,
    })),
    turns: keepIf(state.turns, (turn) => turn.service !== data.service),
  })
}

function outcome({ generations }: State, service: Service, rollout: Rollout): Partial<Service> {
  if (rollout.kind === 'stop' || rollout.kind === 'remove') return { stopped: true }
  const completed = [...service.completed, rollout.release].slice(-completedKept)
  return {
    current: { release: rollout.release, generation: rollout.id },
    stopped: false,
    completed,
    ...ranWith(generations, { ...service, completed }, rollout),
  }
}

/** Keeps the pins with which each release ran last, and those of the generation before. */
function ranWith(
  generations: State['generations'],
  { current, completed, ranWith: before }: Service,
  { id, release }: Rollout,
): Partial<Service> {
  const pins = generations[id]?.pins
  if (before === undefined && pins === undefined) return {}
  const last = generations[current?.generation ?? '']
  const all = { ...before, [release]: pins ?? {} }
  return {
    ranWith: keepIf(all, (_, one) => completed.includes(one)),
    ...(last ? { former: { release: last.release, pins: last.pins ?? {} } } : {}),
  }
}

function rejectedBy(state: State, service: Service, rollout: string): Partial<Service> {
  const { generations } = state
  const before = generations[service.current?.generation ?? '']?.pins
  const tried = generations[rollout]?.pins
  if (!before || !tried) return {}
  const rejected = { ...service.rejected, ...featureRejections(state, service, { before, tried }) }
  return Object.keys(rejected).length === 0 ? {} : { rejected }
}

function removed(state: State, { service, data }: EventData['ServiceRemoved']): State {
  return withUsedGenerations({
    ...state,
    services: without(state.services, service),
    turns: keepIf(state.turns, (turn) => turn.service !== service),
    rollouts: keepIf(state.rollouts, (rollout) => rollout.service !== service),
    removedData: data ? { ...state.removedData, [service]: Object.keys(state.machines) } : state.removedData,
  })
}

const withUsedGenerations = (state: State): State => ({ ...state, generations: usedGenerations(state) })
