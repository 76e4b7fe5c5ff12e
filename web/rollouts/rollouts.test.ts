import { describe, expect, it } from 'vitest'
import type { RolloutNumbers } from '../../src/api/numbers.ts'
import type { EventView, RolloutView } from '../../src/api/views.ts'
import { newInstances, reversedAt, startedBy, stepsOf } from './history.ts'
import { lanes } from './lanes.ts'
import { phaseRows, phasesOf, took, tookAll } from './phaseRows.ts'
import { rolloutCharts, totals } from './rolloutCharts.ts'
import { abortSentence, abortSteps, progressOf, stateWords, titleOf } from './rolloutWords.ts'
import { spanOf } from './span.ts'

const ms = (s: number): number => Date.parse('2026-11-29T14:01:38.000Z') + s * 1_000
const iso = (s: number): string => new Date(ms(s)).toISOString()

let position = 100
const event = (s: number, type: string, data: Record<string, unknown> = {}): EventView => ({
  ...{ position: position++, at: iso(s), type, data, ...(type === 'RolloutStarted' ? { by: 'mira' } : {}) },
})
const step = (s: number, machine: string, name: string, ids: Record<string, unknown[]> = {}): EventView =>
  event(s, 'StepStarted', {
    service: 'shop',
    machine,
    step: name,
    start: [],
    activate: [],
    retire: [],
    stop: [],
    ...ids,
  })

const [old, fresh, again] = ['shop-0-a-1', 'shop-1-a-1', 'shop-1-a-2']

/** Goes forward on a, fails on b, and goes back on a. */
const events = [
  event(0, 'RolloutStarted', { service: 'shop' }),
  event(1, 'TurnStarted', { machine: 'a', direction: 'forward' }),
  step(1, 'a', 'start', { start: [{ id: fresh }] }),
  step(4, 'a', 'switch', { activate: [fresh], retire: [old] }),
  step(4.1, 'a', 'drain', { retire: [old] }),
  step(14, 'a', 'stop', { stop: [old] }),
  event(14.5, 'InstanceStopped', { instance: old, machine: 'a' }),
  event(14.6, 'TurnFinished', { machine: 'a', direction: 'forward', outcome: 'done', reason: null }),
  event(15, 'TurnStarted', { machine: 'b', direction: 'forward' }),
  step(15, 'b', 'start', { start: [{ id: 'shop-1-b-1' }] }),
  event(17, 'InstanceFailed', { instance: 'shop-1-b-1', machine: 'b', reason: 'ended with status 1' }),
  event(17.1, 'TurnFinished', {
    ...{ machine: 'b', direction: 'forward', outcome: 'failed', instance: 'shop-1-b-1' },
    reason: 'instance shop-1-b-1 ended with status 1',
  }),
  event(17.2, 'RolloutReversed', { service: 'shop', machine: 'b', reason: 'x' }),
  // Goes back on b in the same millisecond: the instance that failed took no request.
  event(17.1, 'TurnStarted', { machine: 'b', direction: 'back' }),
  step(17.1, 'b', 'drain', { retire: ['shop-1-b-1'] }),
  step(17.2, 'b', 'stop', { stop: ['shop-1-b-1'] }),
  event(17.3, 'TurnStarted', { machine: 'a', direction: 'back' }),
  step(17.3, 'a', 'start', { start: [{ id: again }] }),
  step(20, 'a', 'switch', { activate: [again], retire: [fresh] }),
  step(20.1, 'a', 'drain', { retire: [fresh] }),
  step(22, 'a', 'stop', { stop: [fresh] }),
  event(22.2, 'InstanceStopped', { instance: fresh, machine: 'a' }),
]
const steps = stepsOf(events.toReversed())

const phase = (name: string, from: number, to: number | null) =>
  ({
    phase: name,
    startedAt: iso(from),
    finishedAt: to === null ? null : iso(to),
  }) as RolloutView['machines'][number]['phases'][number]

const rollout = (over: Partial<RolloutView> = {}): RolloutView => ({
  ...{ id: 'z3t3ncn8', service: 'shop', kind: 'deploy', release: 'b4bddc5aaaa', previous: 'fe97886aaaa' },
  ...{
    state: 'reverted',
    reason: 'x',
    failedInstance: 'shop-1-b-1',
    startedAt: iso(0),
    finishedAt: iso(22.5),
    prepare: null,
  },
  machines: [
    {
      ...{ machine: 'a', state: 'reverted' },
      phases: [
        ...[phase('fetch', 0, 0.5), phase('start', 1, 1.2), phase('probe', 1.2, 4), phase('switch', 4, 4.1)],
        ...[phase('drain', 4.1, 14), phase('stop', 14, 14.6), phase('start', 17.3, 17.5), phase('probe', 17.5, 20)],
        ...[phase('switch', 20, 20.1), phase('drain', 20.1, 22), phase('stop', 22, 22.4)],
      ],
    },
    {
      ...{ machine: 'b', state: 'reverted' },
      phases: [
        ...[phase('fetch', 0, 0.6), phase('start', 15, 15.2), phase('probe', 15.2, 17.1)],
        ...[phase('drain', 17.1, 17.2), phase('stop', 17.2, 17.3)],
      ],
    },
  ],
  ...over,
})

describe('lanes', () => {
  const on = (machine: string) => {
    const { old, fresh } = lanes({ steps, machine, from: ms(-15), to: ms(30), hasOld: true })
    const say = ({ from, to, part }: (typeof old)[number]) =>
      `${part} ${(from - ms(0)) / 1_000} to ${(to - ms(0)) / 1_000}`
    return { old: old.map(say), fresh: fresh.map(say) }
  }

  it('say who takes requests, on the way forward and back', () => {
    expect(on('a')).toEqual({
      old: ['takes -15 to 4', 'finishes 4 to 14.5', 'starts 17.3 to 20', 'takes 20 to 30'],
      fresh: ['starts 1 to 4', 'takes 4 to 20', 'finishes 20 to 22.2'],
    })
  })

  it('of a machine where the new instance failed: the old one takes requests all the time', () => {
    expect(on('b')).toEqual({ old: ['takes -15 to 30'], fresh: ['starts 15 to 17'] })
  })

  it('of a first release: nothing before it', () => {
    const { old, fresh } = lanes({ steps: steps.slice(0, 3), machine: 'a', from: ms(-15), to: ms(3), hasOld: false })
    expect([old, fresh]).toEqual([[], [{ from: ms(1), to: ms(3), part: 'starts' }]])
  })

  it('of several instances the one that does most counts', () => {
    const two = stepsOf([
      step(1, 'a', 'start', { start: [{ id: 'n1' }, { id: 'n2' }] }),
      step(3, 'a', 'switch', { activate: ['n1'], retire: ['o1'] }),
      step(5, 'a', 'switch', { activate: ['n2'], retire: ['o2'] }),
    ])
    const { old, fresh } = lanes({ steps: two, machine: 'a', from: ms(0), to: ms(9), hasOld: true })
    expect(old.map(({ part, to }) => [part, to])).toEqual([
      ['takes', ms(5)],
      ['finishes', ms(9)],
    ])
    expect(fresh.map(({ part, from }) => [part, from])).toEqual([
      ['starts', ms(1)],
      ['takes', ms(3)],
    ])
  })
})

describe('phases', () => {
  it('have a second bar in the same row for the way back', () => {
    const [a] = rollout().machines
    const rows = a === undefined ? [] : phaseRows(rollout(), a, steps)
    expect(rows.map(({ phase: name, state, bars }) => [name, state, ...bars.map(({ kind }) => kind)])).toEqual([
      ['fetch', 'done', 'forward'],
      ['start', 'reverted', 'forward', 'back'],
      ['probe', 'reverted', 'forward', 'back'],
      ['switch', 'reverted', 'forward', 'back'],
      ['drain', 'reverted', 'forward', 'back'],
      ['stop', 'reverted', 'forward', 'back'],
    ])
  })

  it('show the one that failed, and why', () => {
    const [, b] = rollout().machines
    const rows = b === undefined ? [] : phaseRows(rollout(), b, steps)
    expect(rows.find(({ phase: name }) => name === 'probe')).toMatchObject({
      state: 'failed',
      note: 'ended with status 1',
    })
    expect(rows.find(({ phase: name }) => name === 'drain')).toMatchObject({ state: 'reverted', note: null })
  })

  it('are those of the kind of rollout; prepare runs once, on one machine', () => {
    expect(phasesOf(rollout({ kind: 'stop', machines: [] }))).toEqual(['switch', 'drain', 'stop'])
    expect(phasesOf(rollout({ kind: 'start', machines: [] }))).toEqual(['fetch', 'start', 'probe', 'switch'])
    const prepared = rollout({ prepare: { machine: 'a', instance: 'i', startedAt: iso(0.5), finishedAt: iso(1) } })
    const rows = prepared.machines.map((one) => phaseRows(prepared, one, steps).find((row) => row.phase === 'prepare'))
    expect(rows).toMatchObject([
      { state: 'done', bars: [{ kind: 'forward' }] },
      { bars: [], note: 'once, on a' },
    ])
  })

  it('say how long they took', () => {
    const bar = (to: number | null) => ({ from: ms(0), to: to === null ? null : ms(to), kind: 'forward' as const })
    expect([tookAll([bar(1), bar(2)], 0), tookAll([bar(1), bar(2), bar(null)], ms(3))]).toEqual([
      '1.00 s · 2.00 s',
      '6.00 s in 3',
    ])
    expect([took(bar(0.6), ms(9)), took(bar(22.7), 0), took(bar(127), 0), took(bar(null), ms(12.4))]).toEqual([
      '0.60 s',
      '22.7 s',
      '2:07',
      '12.4 s',
    ])
  })
})

it('reads from events who began it, when it turned round, and which instances are new', () => {
  expect(startedBy(steps)).toBe('mira')
  expect(reversedAt(steps)).toBe(ms(17.2))
  expect([...newInstances(steps)]).toEqual([fresh, 'shop-1-b-1'])
})

it('shows 15 s before, grows in steps while it runs, and keeps a short one in sight', () => {
  const running = rollout({ finishedAt: null, state: 'running' })
  expect(spanOf(running, ms(41))).toEqual({ from: ms(-15), to: ms(60) })
  expect(spanOf(running, ms(42))).toEqual({ from: ms(-15), to: ms(60) })
  expect(spanOf(running, ms(9_000)).to).toBeGreaterThan(ms(9_000))
  expect(spanOf(rollout(), ms(500))).toEqual({ from: ms(-15), to: ms(37.5) })
  expect(spanOf(rollout({ finishedAt: iso(2) }), ms(500))).toEqual({ from: ms(-3), to: ms(5) })
})

it('words a rollout, its state and what comes next', () => {
  const machine = (name: string, state: 'running' | 'waiting', phases: ReturnType<typeof phase>[]) => ({
    machine: name,
    state,
    phases,
  })
  const running = rollout({
    ...{ finishedAt: null, state: 'running' },
    machines: [machine('a', 'running', [phase('drain', 4, null)]), machine('b', 'waiting', [])],
  })
  expect([titleOf(running), stateWords(running, ms(41)), progressOf(running)]).toEqual([
    'shop fe97886 → b4bddc5',
    'running, 0:41',
    'a drains, then b',
  ])
  expect([stateWords(rollout(), 0), titleOf(rollout({ kind: 'restart' }))]).toEqual([
    'reverted after 22.5 s',
    'shop restart',
  ])
  expect(abortSentence(running)).toBe('Puts a back to fe97886. b was not touched. Requests in flight are finished.')
  expect(abortSteps(running)).toEqual([
    'a goes back to fe97886: requests in flight are finished before an instance stops.',
    'b was not touched and stays as it is.',
  ])
})

const record: RolloutNumbers = {
  ...{ rollout: 'z3t3ncn8', damaged: false },
  instances: [
    {
      ...{ instance: old, machine: 'a', at: [ms(2), ms(4), ms(6)], inFlight: [3, 3, 1], perSecond: [100, 100, 0] },
      ...{ errorsPerSecond: [0, 0.5, 0], answers: [4, 399, 0, 0, 1], connections: 0, failed: 0 },
    },
    {
      ...{ instance: fresh, machine: 'a', at: [ms(6), ms(8)], inFlight: [2, 2], perSecond: [100, 100] },
      ...{ errorsPerSecond: [0, 0], answers: [0, 400, 0, 0, 0], connections: 0, failed: 2 },
    },
  ],
  balancers: [
    {
      machine: 'a',
      at: [ms(4)],
      held: [2],
      retriesPerSecond: [0],
      ownPerSecond: [3],
      ownErrorsPerSecond: [1],
      own: [0, 0, 0, 1, 1],
      retries: 0,
    },
  ],
}

it('draws the record of both releases, whose totals are exact', () => {
  expect(totals(record)).toEqual({ requests: 802, errors: 4 })
  const sides = { old: 'fe97886', fresh: 'b4bddc5' }
  const given = { series: null, record, fresh: newInstances(steps), sides, isOver: true }
  const { charts, at } = rolloutCharts(given, { from: ms(0), to: ms(8) })
  expect(at).toEqual([ms(0), ms(2), ms(4), ms(6), ms(8)])
  expect(charts.map(({ title, sentence }) => [title, sentence])).toEqual([
    ['Requests/s', '802 while it ran.'],
    ['Errors/s', '4 while it ran.'],
    ['In flight', 'Requests and connections in progress.'],
    ['Held', 'Requests that waited for an instance.'],
  ])
  expect(charts[1]?.lines[0]?.values).toEqual([1, 1, 1.5, 0, 0])
  const upToThen = rolloutCharts({ ...given, isOver: false }, { from: ms(0), to: ms(8) }).charts
  expect(upToThen.map(({ sentence }) => sentence).slice(0, 2)).toEqual(['802 until then.', '4 until then.'])
  expect(charts[0]?.lines.map(({ name, values }) => [name, values])).toEqual([
    ['b4bddc5', [null, null, null, 100, 100]],
    ['fe97886', [null, 100, 100, 0, null]],
  ])
})

it('says that nothing was recorded', () => {
  const given = { series: null, record: null, fresh: new Set<string>(), sides: { old: 'a', fresh: 'b' }, isOver: true }
  expect(
    rolloutCharts(given, { from: ms(0), to: ms(8) })
      .charts.slice(0, 2)
      .map(({ sentence }) => sentence),
  ).toEqual(['Not recorded.', 'Not recorded.'])
})
