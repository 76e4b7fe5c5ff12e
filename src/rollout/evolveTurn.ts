import type { EventData, RecordedEvent } from '../events/event.ts'
import { change, without } from '../lib/records.ts'
import { stopping } from './evolveInstance.ts'
import { turnKey, type Asked, type Instance, type RolloutMachine, type State, type Turn } from './state.ts'

type TurnEvent = Extract<RecordedEvent, { type: 'TurnStarted' | 'StepStarted' | 'TurnFinished' }>

export function evolveTurn(state: State, event: TurnEvent, asked: Asked): State {
  switch (event.type) {
    case 'TurnStarted':
      return turnStarted(state, event.data)
    case 'StepStarted':
      return stepStarted(state, event.data, asked)
    case 'TurnFinished':
      return turnFinished(state, event.data)
  }
}

function turnStarted(state: State, data: EventData['TurnStarted']): State {
  const { rollout, service, machine, direction, target } = data
  const known = state.turns[turnKey(service, machine)]
  const turn: Turn = {
    ...{ rollout, service, machine, direction, target },
    unforwarded: known?.unforwarded ?? false,
    drained: known?.drained ?? [],
    step: null,
  }
  const started = { ...state, turns: { ...state.turns, [turnKey(service, machine)]: turn } }
  return direction === 'catchUp' ? started : setPart(started, data.rollout, machine, { state: 'running' })
}

function stepStarted(state: State, data: EventData['StepStarted'], asked: Asked): State {
  const { service, machine, step, start, activate, retire, stop } = data
  const key = turnKey(service, machine)
  const turn = state.turns[key]
  if (!turn) return state
  let instances = { ...state.instances }
  for (const { id, slot, release, generation } of start) {
    const instance: Instance = {
      ...{ id, service, machine, slot, release, generation },
      ...{ state: 'starting', started: false, traffic: 'idle', reason: null, port: null, stopAsked: null },
    }
    instances[id] = instance
  }
  for (const id of activate) instances = change(instances, id, (instance) => ({ ...instance, traffic: 'active' }))
  for (const id of retire) instances = change(instances, id, (instance) => ({ ...instance, traffic: 'idle' }))
  for (const id of stop) instances = change(instances, id, (instance) => stopping(instance, asked.position))
  const stepped: Turn = {
    ...turn,
    unforwarded: step === 'unforward' || (turn.unforwarded && activate.length === 0),
    drained: step === 'drain' ? retire : turn.drained.filter((id) => !activate.includes(id)),
    step: { ...asked, step, start: start.map(({ id }) => id), retire, stop },
  }
  const named = (state.rollouts[turn.rollout]?.machines[machine]?.named ?? 0) + start.length
  const turns = { ...state.turns, [key]: stepped }
  return setPart({ ...state, instances, turns }, turn.rollout, machine, { named })
}

function turnFinished(state: State, data: EventData['TurnFinished']): State {
  const { rollout, service, machine, direction, outcome } = data
  const ended = { ...state, turns: without(state.turns, turnKey(service, machine)) }
  switch (direction) {
    case 'forward': {
      const failure =
        outcome === 'failed' ? { machine, reason: data.reason ?? 'failed', instance: data.instance } : null
      const rollouts = change(ended.rollouts, rollout, (record) => ({ ...record, failure: record.failure ?? failure }))
      return setPart({ ...ended, rollouts }, rollout, machine, { state: outcome })
    }
    case 'back': {
      const behind = state.services[service]?.behind.includes(machine) ?? false
      const returned = change(ended.rollouts, rollout, (record) => ({
        ...record,
        returned: [...record.returned, machine],
      }))
      const services = change(ended.services, service, (known) => ({
        ...known,
        leftAlone: outcome === 'failed' ? [...known.leftAlone, machine] : known.leftAlone,
      }))
      return setPart({ ...ended, rollouts: returned, services }, rollout, machine, {
        state: behind ? 'behind' : outcome === 'done' ? 'reverted' : outcome,
      })
    }
    case 'catchUp': {
      if (outcome === 'lost') return ended
      const current = state.services[service]?.current?.generation === rollout
      if (outcome === 'done') return setPart(ended, rollout, machine, { state: current ? 'done' : 'reverted' })
      const services = change(state.services, service, (known) => ({
        ...known,
        behind: [...known.behind.filter((name) => name !== machine), machine],
      }))
      return setPart({ ...ended, services }, rollout, machine, { state: 'behind' })
    }
  }
}

function setPart(state: State, rollout: string, machine: string, part: Partial<RolloutMachine>): State {
  const known: RolloutMachine = state.rollouts[rollout]?.machines[machine] ?? {
    state: 'waiting',
    fetched: false,
    named: 0,
  }
  return {
    ...state,
    rollouts: change(state.rollouts, rollout, (record) => ({
      ...record,
      machines: { ...record.machines, [machine]: { ...known, ...part } },
    })),
  }
}
