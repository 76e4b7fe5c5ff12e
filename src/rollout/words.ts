import { change, step, type Wording, type Words } from '../decision/words.ts'
import { shortId } from '../definitions/names.ts'
import type { RolloutEvents, Step } from '../events/rolloutEvents.ts'

const steps: Record<Step, string> = {
  start: 'starts its new instances',
  unforward: 'gets no requests from other machines',
  switch: 'sends new requests to the new instances',
  drain: 'finishes the work of the old instances',
  stop: 'stops the old instances',
}

function begun({ service, kind, release, previous, rollout }: RolloutEvents['RolloutStarted']): Wording {
  const from = previous === null ? '' : `${shortId(previous)} → `
  const text = {
    deploy: `rollout ${from}${shortId(release)} started`,
    rollback: `rollback ${from}${shortId(release)} started`,
    restart: 'restart started',
    start: 'is being started',
    stop: 'is being stopped',
    remove: 'is being removed',
  }[kind]
  return change('running', service, text, { service, rollout })
}

const reasoned = (text: string, reason: string | null): string => (reason === null ? text : `${text}: ${reason}`)

export const rolloutWords: Words<RolloutEvents> = {
  LoopbackAssigned: ({ service, address }) => step('note', service, `has the address ${address}`, { service }),
  RolloutStarted: begun,
  ReleaseFetched: ({ rollout, machine }) =>
    step('done', `machine ${machine}`, 'has fetched the release', { rollout, machine }),
  PrepareStarted: ({ rollout, machine }) =>
    step('running', `machine ${machine}`, 'prepares the release', { rollout, machine }),
  PrepareFinished: ({ rollout, machine }) =>
    step('done', `machine ${machine}`, 'has prepared the release', { rollout, machine }),
  TurnStarted: ({ rollout, service, machine, direction }) => {
    const turn = { forward: 'changes', back: 'goes back', catchUp: 'catches up' }[direction]
    return step(direction === 'back' ? 'reverted' : 'running', `${service} on ${machine}`, turn, {
      ...{ rollout, service, machine },
    })
  },
  StepStarted: ({ service, machine, step: at }) =>
    step('running', `${service} on ${machine}`, steps[at], { service, machine }),
  TurnFinished: ({ rollout, service, machine, outcome, reason, instance }) => {
    const text = { done: 'is done', failed: 'failed', lost: 'was lost' }[outcome]
    return step(outcome, `${service} on ${machine}`, reasoned(text, reason), { rollout, service, machine, instance })
  },
  MachinePassedOver: ({ rollout, machine, reason }) =>
    step('lost', `machine ${machine}`, `was passed over: ${reason}`, { rollout, machine }),
  RolloutReversed: ({ rollout, service, reason, machine, instance, aborted }) =>
    change('reverted', service, aborted ? `rollout was aborted: ${reason}` : `rollout goes back: ${reason}`, {
      ...{ rollout, service, machine, instance },
    }),
  RolloutFinished: ({ rollout, service, state, reason }) =>
    change(state === 'completed' ? 'done' : 'reverted', service, reasoned(`rollout ${state}`, reason), {
      ...{ rollout, service },
    }),
  ServiceRemoved: ({ service, data }) =>
    change('note', service, data ? 'was removed, with its data' : 'was removed', { service }),
  DataRemoved: ({ service, machine }) =>
    step('note', `${service} on ${machine}`, 'has no data any more', { service, machine }),
}
