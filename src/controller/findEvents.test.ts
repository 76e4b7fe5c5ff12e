import { beforeAll, expect, it } from 'vitest'
import { operations } from '../api/contract.ts'
import { MemoryEventLog } from '../store/testing/memoryEventLog.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import type { RecordedEvent } from '../events/event.ts'
import type { Controller } from './controller.ts'
import { findEvents } from './findEvents.ts'
import { aReport, controllerOn, deploy, obey, otherRelease, publishIn } from './testing/given.ts'

let controller: Controller
let all: RecordedEvent[]

beforeAll(async () => {
  const log = new MemoryEventLog()
  controller = await controllerOn(log)
  let seq = 0
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 20; round++) await obey(controller, ['a', 'b'], () => ++seq)
  }
  await controller.lead()
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: ++seq }))
  await publishIn(controller)
  await publishIn(
    controller,
    otherRelease,
    aDefinition({ service: 'shop-admin', routes: [{ host: 'admin.example', path: '/' }] }),
  )
  await deploy(controller, 'r1')
  await settle()
  await deploy(controller, 'q2', otherRelease, 'shop-admin')
  await settle()
  await controller.execute({ type: 'NoteMachine', machine: 'a', text: 'x' }, 'ida')
  all = await log.read(0, 10_000)
})

type Query = Parameters<typeof findEvents>[1]
const query = (given: object): Query => operations.findEvents.query.parse(given)
const found = async (given: object): Promise<number[]> =>
  (await findEvents(controller, query(given))).events.map(({ position }) => position)
const those = (is: (event: RecordedEvent) => boolean): number[] =>
  all
    .filter(is)
    .map(({ position }) => position)
    .toReversed()

it('pages backwards through all events, without a gap or a repetition', async () => {
  const seen: number[] = []
  let before: number | undefined
  for (;;) {
    const { events, next, position } = await findEvents(controller, query({ limit: 7, ...(before && { before }) }))
    seen.push(...events.map((event) => event.position))
    expect(position).toBe(all.at(-1)?.position)
    if (next === null) break
    expect(events).toHaveLength(7)
    before = next
  }
  expect(seen).toEqual(those(() => true))
  expect(await found({ after: 5, before: 9 })).toEqual([8, 7, 6])
})

it('finds the events of one service and not those of another whose name begins alike', async () => {
  const ofShop = those(({ data }) => /"shop"|"shop-r1-/.test(JSON.stringify(data)))
  expect(await found({ service: 'shop' })).toEqual(ofShop)
  expect(ofShop.length).toBeGreaterThan(10)
  expect(await found({ service: 'sho' })).toEqual([])
})

it('finds the events of a machine, of some types, of a caller, and all of these together', async () => {
  expect(await found({ machine: 'a' })).toEqual(those(({ data }) => 'machine' in data && data.machine === 'a'))
  expect(await found({ type: 'RolloutStarted' })).toEqual(those(({ type }) => type === 'RolloutStarted'))
  expect(await found({ type: 'MachineJoined,MachineNoted' })).toHaveLength(3)
  expect(await found({ by: 'ida' })).toEqual([all.at(-1)?.position])
  expect(await found({ machine: 'a', service: 'shop', type: 'TurnFinished' })).toHaveLength(1)
  expect(await found({ machine: 'a', by: 'ida', type: 'TurnFinished' })).toEqual([])
})

it('finds what people did', async () => {
  const people = those(({ by }) => typeof by === 'string' && !by.startsWith('machine '))
  expect(await found({ people: 'true', limit: 2 })).toEqual(people.slice(0, 2))
  expect(await found({ people: 'true' })).toEqual(people)
  expect([people.length > 0, people.length < all.length / 2]).toEqual([true, true])
})

it('finds the events of a rollout, also the steps and instances of its service while it ran', async () => {
  const types = (await findEvents(controller, query({ rollout: 'r1' }))).events.map(({ type }) => type)
  expect(types.at(-1)).toBe('RolloutStarted')
  expect(types[0]).toBe('RolloutFinished')
  expect(types).toEqual(expect.arrayContaining(['ReleaseFetched', 'StepStarted', 'InstanceReady', 'TurnFinished']))
  expect(types.filter((type) => type === 'RolloutStarted')).toHaveLength(1)
  expect(await found({ rollout: 'q' })).toEqual(await found({ rollout: 'q2' }))
  expect([await found({ rollout: 'none' }), (await found({ rollout: 'q2' })).length > 10]).toEqual([[], true])
})

it('finds what followed directly from an event', async () => {
  const started = all.find(({ type }) => type === 'RolloutStarted')?.position ?? 0
  const after = (await findEvents(controller, query({ cause: started }))).events
  expect(after.map(({ type, words }) => `${type}: ${words?.subject} ${words?.text}`)).toEqual([
    'ReleaseFetched: machine b has fetched the release',
    'ReleaseFetched: machine a has fetched the release',
  ])
})

it('words each event, and finds only changes', async () => {
  const changes = (await findEvents(controller, query({ changes: 'true' }))).events
  expect(changes.every(({ words }) => words?.isChange)).toBe(true)
  expect(changes[0]).toMatchObject({ type: 'MachineNoted', words: { sign: 'note', machine: 'a', service: null } })
  const types = changes.map(({ type }) => type)
  expect(types).toEqual(expect.arrayContaining(['RolloutStarted', 'RolloutFinished']))
  expect(types).not.toContain('StepStarted')
  expect(await found({ changes: 'true', service: 'shop', limit: 1 })).toHaveLength(1)
})

it('finds everything that followed from an event, and pages through it', async () => {
  const started = all.find(({ type }) => type === 'RolloutStarted')?.position ?? 0
  const { events, next } = await findEvents(controller, query({ follows: started }))
  expect(next).toBeNull()
  expect(events.at(-1)?.position).toBe(started)
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['ReleaseFetched', 'TurnStarted', 'InstanceReady', 'RolloutFinished']),
  )
  const positions = new Set(events.map(({ position }) => position))
  expect(events.filter(({ cause }) => !positions.has(cause ?? 0)).map(({ position }) => position)).toEqual([started])
  const some = await findEvents(controller, query({ follows: started, limit: 3 }))
  expect(some.events).toEqual(events.slice(0, 3))
  expect(some.next).toBe(some.events[2]?.position)
  expect(await found({ follows: started, before: some.next, limit: 1 })).toEqual([events[3]?.position])
  expect(await found({ follows: started, machine: 'b', type: 'TurnFinished' })).toHaveLength(1)
  expect(await found({ follows: 999_999 })).toEqual([])
})

it('finds failures: what failed, was lost, or went back', async () => {
  expect(await found({ failures: 'true' })).toEqual([])
  const next = 'c'.repeat(64)
  await publishIn(controller, next)
  await deploy(controller, 'r3', next)
  await controller.execute({ type: 'AbortRollout', rollout: 'r3' })
  const failures = (await findEvents(controller, query({ failures: 'true', service: 'shop' }))).events
  expect(failures.map(({ words }) => words?.text).at(-1)).toMatch(/^rollout was aborted/)
  expect(failures.every(({ words }) => ['failed', 'lost', 'reverted'].includes(words?.sign ?? ''))).toBe(true)
})

it('refuses to begin after the end of the log', async () => {
  await expect(findEvents(controller, query({ after: 1_000_000 }))).rejects.toMatchObject({ code: 'E_BEYOND_LOG' })
})
