import type { EventData, RecordedEvent } from '../events/event.ts'
import { change, without } from '../lib/records.ts'
import type { Asked } from '../decision/base.ts'
import { isBroken } from '../fleet/serving.ts'
import { turnKey } from '../fleet/state.ts'
import { freshOf } from './serviceView.ts'
import { freshTurn, type Rollout, type RolloutMachine, type State, type Turn } from './state.ts'

type TurnEvent = Extract<RecordedEvent, { type: 'TurnStarted' | 'StepStarted' | 'TurnFinished' }>

export function evolveTurn(state: State, event: TurnEvent, asked: Asked): State {
  switch (event.type) {
    case 'TurnStarted':
      return turnStarted(state, event.data, asked)
    case 'StepStarted':
      return stepStarted(state, event.data, asked)
    case 'TurnFinished':
      return turnFinished(state, event.data)
  }
}

function turnStarted(state: State, data: EventData['TurnStarted'], asked: Asked): State {
  const { rollout, service, machine, direction } = data
  const started = { ...state, turns: { ...state.turns, [turnKey(service, machine)]: freshTurn(data) } }
  if (direction === 'catchUp') return started
  const running = setPart(started, rollout, machine, { state: 'running' })
  if (direction === 'back') return running
  const enterTurns = (record: Rollout): Rollout =>
    record.stage === 'turns' ? record : { ...record, stage: 'turns', stageSince: asked }
  return { ...running, rollouts: change(running.rollouts, rollout, enterTurns) }
}

function stepStarted(state: State, data: EventData['StepStarted'], asked: Asked): State {
  const { service, machine, step, start, activate, retire, stop } = data
  const key = turnKey(service, machine)
  const turn = state.turns[key]
  if (!turn) return state
  const stepped: Turn = {
    ...turn,
    unforwarded: step === 'unforward' || (turn.unforwarded && activate.length === 0),
    gaveUp: step === 'stop' ? givenUp(state, turn, stop) : turn.gaveUp,
    switched: step === 'switch' ? asked.position : turn.switched,
    drained: step === 'drain' ? retire : turn.drained.filter((id) => !activate.includes(id)),
    step: { ...asked, step, start: start.map(({ id }) => id), retire, stop },
  }
  const named = (state.rollouts[turn.rollout]?.machines[machine]?.named ?? 0) + start.length
  const turns = { ...state.turns, [key]: stepped }
  return setPart({ ...state, turns }, turn.rollout, machine, { named })
}

/** Stopping an instance that the turn itself was to run means giving up on it. */
function givenUp(state: State, turn: Turn, stop: string[]): string | null {
  const own = freshOf(state, turn).filter(({ id }) => stop.includes(id))
  return turn.gaveUp ?? own.find(isBroken)?.id ?? own[0]?.id ?? null
}

function turnFinished(state: State, data: EventData['TurnFinished']): State {
  const { rollout, service, machine, direction, outcome } = data
  const ended = { ...state, turns: without(state.turns, turnKey(service, machine)) }
  switch (direction) {
    case 'forward': {
      const failure =
        outcome === 'failed' ? { machine, reason: data.reason ?? 'failed', instance: data.instance } : null
      const rollouts = change(ended.rollouts, rollout, (record) => ({ ...record, failure: record.failure ?? failure }))
      const services = change(ended.services, service, (known) => ({
        ...known,
        behind: outcome === 'done' ? known.behind.filter((name) => name !== machine) : known.behind,
      }))
      return setPart({ ...ended, rollouts, services }, rollout, machine, { state: outcome })
    }
    case 'back': {
      const behind = state.services[service]?.behind.includes(machine) ?? false
      const returned = change(ended.rollouts, rollout, (record) => ({
        ...record,
        returned: [...record.returned, machine],
      }))
      const services = change(ended.services, service, (known) => ({
        ...known,
        // A machine that only answered too late is tried again once it has answered.
        leftAlone: outcome === 'failed' && data.instance ? [...known.leftAlone, machine] : known.leftAlone,
      }))
      return setPart({ ...ended, rollouts: returned, services }, rollout, machine, {
        state: behind ? 'behind' : outcome === 'done' ? 'reverted' : outcome,
      })
    }
    case 'catchUp': {
      if (outcome === 'lost') return ended
      const completed = state.rollouts[rollout]?.outcome === 'completed'
      if (outcome === 'done') return setPart(ended, rollout, machine, { state: completed ? 'done' : 'reverted' })
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
