import { beforeEach, describe, expect, it } from 'vitest'
import type { Event, EventData, EventType, RecordedEvent } from '../events/event.ts'
import { ReleaseCatalogue } from './releaseCatalogue.ts'
import { RolloutHistory } from './rolloutHistory.ts'

const mark = { boot: 1, seq: 1 }
const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
let position = 0
let history: RolloutHistory
let releases: ReleaseCatalogue
beforeEach(() => {
  position = 0
  history = new RolloutHistory()
  releases = new ReleaseCatalogue()
})
/** The n-th event happens in the n-th second. */
const at = (n: number): string => new Date(n * 1_000).toISOString()
function happens<T extends EventType>(type: T, data: EventData[T]): void {
  const event = { type, data } as Event // type and data belong together by T
  const recorded: RecordedEvent = { ...event, position: ++position, at: at(position) }
  history.fold(recorded)
  releases.fold(recorded)
}
function starts(rollout: string, over: Partial<EventData['RolloutStarted']> = {}): void {
  happens('RolloutStarted', {
    ...{ rollout, service: 'shop', kind: 'deploy', release: two, previous: one, routes: [], machines: ['a', 'b'] },
    ...{ allowOutage: false, removeData: false },
    ...over,
  })
}
const step = (name: EventData['StepStarted']['step'], start: string[] = [], machine = 'a'): void =>
  happens('StepStarted', {
    ...{ service: 'shop', machine, step: name, activate: [], retire: [], stop: [] },
    start: start.map((id) => ({ id, slot: 1, release: two, generation: 'r1' })),
  })
const turn = (machine: string, direction: 'forward' | 'back' = 'forward'): void =>
  happens('TurnStarted', { rollout: 'r1', service: 'shop', machine, direction, target: null })
const turnEnds = (
  machine: string,
  direction: 'forward' | 'back' | 'catchUp',
  outcome: 'done' | 'failed' | 'lost' = 'done',
): void =>
  happens('TurnFinished', { rollout: 'r1', service: 'shop', machine, direction, outcome, reason: null, instance: null })
const states = (): unknown => history.get('r1')?.machines.map(({ machine, state }) => `${machine} ${state}`)

describe('the history of rollouts', () => {
  it('times each phase of each machine, start to probe at the process, unforward with switch', () => {
    starts('r1')
    happens('ReleaseFetched', { rollout: 'r1', machine: 'a', mark })
    turn('a')
    step('start', ['x'])
    happens('InstanceStarted', { instance: 'x', machine: 'a', port: 1, mark })
    happens('InstanceReady', { instance: 'x', machine: 'a', port: 1, mark })
    step('unforward')
    step('drain')
    step('stop')
    turnEnds('a', 'forward')
    const phases = history.get('r1')?.machines[0]?.phases
    expect(phases?.map(({ phase, startedAt, finishedAt }) => [phase, startedAt, finishedAt])).toEqual([
      ['fetch', at(1), at(2)],
      ['start', at(4), at(5)],
      ['probe', at(5), at(7)],
      ['switch', at(7), at(8)],
      ['drain', at(8), at(9)],
      ['stop', at(9), at(10)],
    ])
    expect(states()).toEqual(['a done', 'b waiting'])
  })

  it('times prepare on the machine that runs it, however it ends', () => {
    const prepared = (): unknown => history.get('r1')?.prepare
    const runs = { machine: 'a', instance: 'shop-r1-prepare', startedAt: at(2) }
    starts('r1')
    expect(prepared()).toBeNull()
    happens('PrepareStarted', { rollout: 'r1', machine: 'a' })
    expect(prepared()).toEqual({ ...runs, finishedAt: null })
    happens('PrepareFinished', { rollout: 'r1', machine: 'a', mark })
    happens('RolloutFinished', { rollout: 'r1', service: 'shop', state: 'completed', reason: null })
    expect(prepared()).toEqual({ ...runs, finishedAt: at(3) })
    starts('r1')
    happens('PrepareStarted', { rollout: 'r1', machine: 'b' })
    happens('RolloutReversed', {
      ...{ rollout: 'r1', service: 'shop', reason: 'prepare failed', machine: 'b', instance: null, aborted: false },
    })
    expect(prepared()).toEqual({ ...runs, machine: 'b', startedAt: at(6), finishedAt: at(7) })
    starts('r1')
    happens('PrepareStarted', { rollout: 'r1', machine: 'a' })
    happens('LogRecovered', { term: 2, id: 'x', version: '0', held: [] })
    expect(prepared()).toMatchObject({ finishedAt: at(10) })
  })

  it('shows how a rollout went back: which machines did, which were never touched, and why', () => {
    starts('r1', { machines: ['a', 'b', 'c'] })
    for (const machine of ['a', 'b']) turn(machine)
    turnEnds('a', 'forward')
    turnEnds('b', 'forward', 'failed')
    happens('RolloutReversed', {
      ...{ rollout: 'r1', service: 'shop', reason: 'x failed', machine: 'b', instance: 'x', aborted: false },
    })
    expect(history.get('r1')).toMatchObject({ state: 'reverting', reason: 'x failed', failedInstance: 'x' })
    for (const machine of ['b', 'a']) {
      turn(machine, 'back')
      turnEnds(machine, 'back')
    }
    happens('RolloutFinished', { rollout: 'r1', service: 'shop', state: 'reverted', reason: 'x failed' })
    expect(states()).toEqual(['a reverted', 'b reverted', 'c untouched'])
    expect(history.get('r1')).toMatchObject({ state: 'reverted', finishedAt: at(position) })
    expect(history.get('r1')?.machines.every(({ phases }) => phases.every((phase) => phase.finishedAt))).toBe(true)
  })

  it('shows which machines were passed over, and which caught up later', () => {
    starts('r1')
    happens('MachinePassedOver', { rollout: 'r1', machine: 'b', reason: 'lost' })
    happens('RolloutFinished', { rollout: 'r1', service: 'shop', state: 'completed', reason: null })
    expect(states()).toEqual(['a waiting', 'b lost'])
    turnEnds('b', 'catchUp')
    expect(states()).toEqual(['a waiting', 'b done'])
  })

  it('ends rollouts that a recovery cut off', () => {
    starts('r1')
    happens('LogRecovered', { term: 2, id: 'x', version: '0', held: [] })
    expect(history.get('r1')).toMatchObject({ state: 'aborted', reason: 'the event log was recovered' })
    expect(history.get('r1')?.machines[0]?.phases[0]?.finishedAt).toBe(at(2))
  })

  it('lists by service, newest last, and only the newest thousand', () => {
    for (let n = 0; n < 1_100; n++) starts(`r${n}`, { service: n % 2 === 0 ? 'shop' : 'other' })
    expect(history.all()).toHaveLength(1_000)
    expect(history.all().at(-1)?.id).toBe('r1099')
    expect(history.all('shop')).toHaveLength(500)
    expect(history.get('r99')).toBeUndefined()
  })
})

describe('the catalogue of releases', () => {
  const published = (release: string): void =>
    happens('ReleasePublished', {
      ...{ service: 'shop', release, bytes: 7 },
      definition: {} as EventData['ReleasePublished']['definition'], // not looked at
    })
  it('records when releases are published, collected, published again, and when a rollout to one completed', () => {
    published(one)
    published(two)
    starts('r1')
    happens('RolloutFinished', { rollout: 'r1', service: 'shop', state: 'completed', reason: null })
    expect(releases.all('shop').map(({ release, completedAt }) => [release, completedAt])).toEqual([
      [one, null],
      [two, at(4)],
    ])
    happens('ReleasesCollected', { releases: [one] })
    expect(releases.get(one)?.collected).toBe(true)
    published(one)
    expect(releases.all().map(({ release, collected }) => [release, collected])).toEqual([
      [two, false],
      [one, false],
    ])
    expect(releases.all('other')).toEqual([])
  })
  it('forgets the oldest collected releases in time, and no release that exists', () => {
    published(one)
    const gone = Array.from({ length: 1_500 }, (_, n) => n.toString(16).padStart(64, '0'))
    for (const release of gone) published(release)
    happens('ReleasesCollected', { releases: gone })
    expect(releases.all()).toHaveLength(1_001)
    expect(releases.get(one)?.collected).toBe(false)
  })
})
