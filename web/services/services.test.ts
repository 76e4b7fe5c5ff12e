import { expect, it } from 'vitest'
import type { NumbersSeries } from '../../src/api/numbers.ts'
import type { ChangeView } from '../../src/api/overview.ts'
import type { RolloutView } from '../../src/api/views.ts'
import { sizeOf } from '../lib/serviceChanges.ts'
import { marksOf, serviceCharts } from './serviceCharts.ts'
import { accessWords, stateParts, titleOf, type Service } from './serviceWords.ts'

const t = (s: number): number => Date.parse('2026-11-29T14:00:00.000Z') + s * 1_000
const iso = (s: number): string => new Date(t(s)).toISOString()

type Instance = Service['instances'][number]
const instance = (machine: string, over: Partial<Instance> = {}): Instance => ({
  ...{ id: `search-1-${machine}-1`, machine, release: 'd52f8b7', state: 'ready', port: 1, since: null, pid: 1 },
  ...{ restarts: 0, reason: null, stale: false, asOf: null, ...over },
})
const service = (instances: Instance[], over: Partial<Service> = {}): Service => ({
  ...{ service: 'search', release: 'd52f8b7', state: 'running', routes: [], behind: [], rollout: null, instances },
  ...over,
})

it('says how a service is, the worst first', () => {
  const parts = (...instances: Instance[]) => stateParts(service(instances)).map(({ text }) => text)
  expect(parts(instance('a'), instance('b', { state: 'failed' }))).toEqual(['fails on b', 'ready on a'])
  expect(parts(instance('a'), instance('b'), instance('c'))).toEqual(['ready on a, b and c'])
  expect(parts(instance('a', { stale: true }), instance('b', { state: 'stopped' }))).toEqual(['lost on a'])
  expect([parts(), stateParts(service([], { state: 'stopped' }))]).toEqual([
    ['runs nowhere'],
    [{ state: 'stopped', text: 'stopped' }],
  ])
  expect(titleOf(service([instance('a')]))).toBe('search: ready on a')
  expect(sizeOf(service([instance('a'), instance('b')]))).toBe('2 instances on 2 machines')
})

it('says who may reach a route', () => {
  const access = { route: 'r', unsaid: false, carries: 'tcp' as const }
  expect([
    accessWords({ ...access, expose: 'public', port: null, address: null }),
    accessWords({ ...access, expose: 'local', port: 5672, address: '127.77.0.3' }),
    accessWords({ ...access, expose: 'public', port: 5672, address: null }),
  ]).toEqual([
    'everybody, at the entry',
    "programs on the cluster's machines, tcp at 127.77.0.3",
    'everybody, tcp at all addresses',
  ])
})

const series = (machines: string[]): NumbersSeries => ({
  ...{ service: 'search', machines: [] },
  instances: machines.map((machine) => ({
    ...{ instance: `search-1-${machine}-1`, machine, at: [t(2), t(4)], inFlight: [1, 2] },
    ...{ perSecond: [100, 200], errorsPerSecond: [0, machine === 'b' ? 3 : 0] },
  })),
  balancers: [
    {
      machine: 'a',
      at: [t(2), t(4)],
      held: [0, 5],
      retriesPerSecond: [0, 0],
      ownPerSecond: [2, 1],
      ownErrorsPerSecond: [0, 1],
    },
  ],
})

it('draws a line for each machine, up to three, and errors of instances and balancers together', () => {
  const range = { from: t(0), to: t(4) }
  const { charts } = serviceCharts(series(['a', 'b']), range)
  expect(charts.map(({ title, lines, sentence }) => [title, lines.map(({ name }) => name), sentence])).toEqual([
    ['Requests/s', ['a', 'b'], 'Between 200 and 400 in all.'],
    ['Errors/s', ['all'], 'First at 14:00:04.'],
    ['In flight', ['a', 'b'], 'Requests and connections in progress.'],
    ['Held', ['all'], 'Requests that waited for an instance.'],
  ])
  expect(charts[1]?.lines[0]?.values).toEqual([null, 0, 4])
  const four = serviceCharts(series(['a', 'b', 'c', 'd']), range).charts[0]
  expect(four?.lines.map(({ name, values }) => [name, values])).toEqual([['all machines', [null, 400, 800]]])
  expect(
    serviceCharts(null, range)
      .charts.map(({ sentence }) => sentence)
      .slice(0, 2),
  ).toEqual(['Not reported.', 'Not reported.'])
})

it('marks where releases changed and instances failed; flags never cover each other', () => {
  const rollout = (from: number, over: Partial<RolloutView>) =>
    ({
      kind: 'deploy',
      release: 'd52f8b7aa',
      state: 'completed',
      startedAt: iso(from),
      finishedAt: iso(from + 9),
      ...over,
    }) as RolloutView
  const failed = { type: 'InstanceFailed', at: iso(700), machine: 'b' } as ChangeView
  const history = [rollout(-500, {}), rollout(100, {}), rollout(400, { state: 'reverted', kind: 'restart' })]
  const marks = marksOf(history, [failed], { from: t(0), to: t(900) })
  expect(marks.map(({ at, text, tone }) => [(at - t(0)) / 1_000, text, tone])).toEqual([
    [700, '✕ b fails', 'bad'],
    [409, '✕ went back', 'warn'],
    [400, null, 'act'],
    [100, 'd52f8b7', 'act'],
  ])
})
