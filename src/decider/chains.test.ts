import { describe, expect, it } from 'vitest'
import type { Event, RecordedEvent } from '../events/event.ts'
import { causeOf, growChains, withOrigins } from './chains.ts'
import { deploy, given, patch } from './testing/given.ts'

const told = ({ type, data }: RecordedEvent): string =>
  [
    type,
    ...('machine' in data && data.machine !== null ? [data.machine] : []),
    ...('step' in data ? [data.step] : []),
  ].join(' ')

/** Each event from an index on, with the one that it follows from. */
function causes(log: readonly RecordedEvent[], from: number): string[] {
  const chains = new Map<string, number>()
  const lines = log.map((event) => {
    const cause = log.find(({ position }) => position === causeOf(chains, event))
    growChains(chains, event)
    return `${told(event)} ← ${cause ? told(cause) : 'nothing'}`
  })
  return lines.slice(from)
}

const turn = (machine: string, before: string): string[] => [
  `TurnStarted ${machine} ← ${before}`,
  `StepStarted ${machine} start ← TurnStarted ${machine}`,
  `InstanceStarted ${machine} ← StepStarted ${machine} start`,
  `InstanceReady ${machine} ← InstanceStarted ${machine}`,
  `StepStarted ${machine} switch ← InstanceReady ${machine}`,
  `StepStarted ${machine} drain ← StepStarted ${machine} switch`,
  `StepStarted ${machine} stop ← StepStarted ${machine} drain`,
  `InstanceStopped ${machine} ← StepStarted ${machine} stop`,
  `TurnFinished ${machine} ← InstanceStopped ${machine}`,
]

describe('an event follows from', () => {
  it('the one before it in its rollout and turn, also when an instance fails and every machine goes back', () => {
    const then = given('a', 'b')
      .running('r1')
      .published('r2')
      .on('b', { fates: { r2: 'fails' } })
    const from = then.world.log.length
    then.when(deploy('r2')).settled()
    expect(causes(then.world.log, from)).toEqual([
      'RolloutStarted ← nothing',
      'ReleaseFetched a ← RolloutStarted',
      'ReleaseFetched b ← RolloutStarted',
      ...turn('a', 'ReleaseFetched b'),
      'TurnStarted b ← TurnFinished a',
      'StepStarted b start ← TurnStarted b',
      'InstanceStarted b ← StepStarted b start',
      'InstanceFailed b ← InstanceStarted b',
      'TurnFinished b ← InstanceFailed b',
      'RolloutReversed b ← InstanceFailed b',
      'TurnStarted b ← RolloutReversed b',
      'StepStarted b drain ← TurnStarted b',
      'StepStarted b stop ← StepStarted b drain',
      'InstanceStopped b ← StepStarted b stop',
      'TurnFinished b ← InstanceStopped b',
      ...turn('a', 'TurnFinished b'),
      'RolloutFinished ← TurnFinished a',
    ])
  })

  it('the loss and the return of its machine', () => {
    const then = given('a', 'b').running('r1').published('r2')
    const from = then.world.log.length
    then.on('b', { alive: false }).passing(15_000).when(deploy('r2')).settled()
    then.on('b', { alive: true }).passing(20_000).settled()
    expect(causes(then.world.log, from)).toEqual([
      'MachineLost b ← nothing',
      'RolloutStarted ← nothing',
      'MachinePassedOver b ← MachineLost b',
      'ReleaseFetched a ← RolloutStarted',
      ...turn('a', 'ReleaseFetched a'),
      'RolloutFinished ← TurnFinished a',
      'MachineReturned b ← MachineLost b',
      ...turn('b', 'MachineReturned b'),
    ])
  })

  it('the step of the maintenance that drains its machine and restarts its instances', () => {
    const then = given('a', 'b').running('r1')
    const from = then.world.log.length
    then
      .when(patch(['a']))
      .settled()
      .passing(60_000)
    expect(causes(then.world.log, from)).toEqual([
      'MaintenanceStarted ← nothing',
      'MaintenanceStepped a drain ← MaintenanceStarted',
      'MachineDrainStarted a ← MaintenanceStepped a drain',
      'MachineDrainStepped a ← MachineDrainStarted a',
      'MachineDrained a ← MachineDrainStepped a',
      'MaintenanceStepped a work ← MachineDrained a',
      'InstanceFailed a ← MaintenanceStepped a work',
      'MaintenanceStepped a check ← MaintenanceStepped a work',
      'InstanceRecovered a ← InstanceFailed a',
      'MachineReadied a ← MaintenanceStepped a check',
      'MaintenanceStepped a return ← MachineReadied a',
      'MaintenanceStepped a done ← MaintenanceStepped a return',
      'MaintenanceFinished ← MaintenanceStepped a done',
    ])
  })
})

describe('the events of one decision', () => {
  const mark = { boot: 1, seq: 1 }
  const ready: Event = { type: 'InstanceReady', data: { instance: 'shop-x1-a-1', machine: 'a', port: 1, mark } }
  const step: Event = {
    type: 'StepStarted',
    data: { service: 'shop', machine: 'a', step: 'switch', start: [], activate: [], retire: [], stop: [] },
  }
  const chains = new Map([['turn shop a', 7]])

  it('that a person asked for name the person and follow from nothing; the others follow from them', () => {
    const origins = withOrigins(chains, [step, step], { first: 9, direct: 1, by: 'ci', isRequest: true })
    expect(origins).toEqual([
      { ...step, by: 'ci' },
      { ...step, cause: 9 },
    ])
  })

  it('that a machine reports name the machine, and follow from earlier ones', () => {
    const origins = withOrigins(chains, [ready, step], { first: 9, direct: 1, by: 'machine a', isRequest: false })
    expect(origins).toEqual([
      { ...ready, by: 'machine a', cause: 7 },
      { ...step, cause: 9 },
    ])
  })

  it('leave the chains as they are until they are recorded', () => {
    withOrigins(chains, [ready, step], { first: 9, direct: 0, by: null, isRequest: true })
    expect([...chains]).toEqual([['turn shop a', 7]])
  })
})

it('chains that have not grown for the longest time are forgotten', () => {
  const chains = new Map<string, number>()
  for (let position = 1; position <= 6_000; position++) {
    growChains(chains, { type: 'MachineJoined', data: { machine: `m${position}` } as never, position })
  }
  expect([chains.size, [...chains][0]]).toEqual([5_000, ['back m1001', 1_001]])
})
