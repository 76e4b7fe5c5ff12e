import { expect, it } from 'vitest'
import type { Overview } from '../../src/api/overview.ts'
import { cellOf, shown, type Service } from './cells.ts'

const now = Date.parse('2026-11-29T10:00:00.000Z')

type Instance = Service['instances'][number]

const instance = (over: Partial<Instance> = {}): Instance => ({
  ...{ id: 'shop-1-a-1', machine: 'a', release: 'a'.repeat(64), state: 'ready', port: 1, pid: 1, restarts: 0 },
  ...{ since: '2026-11-29T09:00:00.000Z', reason: null, stale: false, asOf: null, ...over },
})

const service = (over: Partial<Service> = {}): Service => ({
  ...{ service: 'shop', release: 'a'.repeat(64), state: 'running', routes: [], behind: [], rollout: null },
  ...{ instances: [instance()], ...over },
})

const overview = (over: Partial<Overview> = {}): Overview => ({
  ...{ cluster: 'local', controller: { version: '1', term: 1, position: 1, problems: [] }, absent: [] },
  ...{ addresses: [], maintenance: null, notes: [], services: [], wrong: [], changes: [], load: {}, rates: {} },
  ...{ certificates: [], checkups: [], store: null },
  machines: ['a', 'b'].map((name) => ({
    ...{ name, state: 'ready', lastSeen: null, host: 'h', httpPort: 1, metricsPort: 1, version: null, limits: null },
    problems: [],
  })),
  work: { 'shop-1-a-1': 3 },
  cells: { 'shop a': { perSecond: 7, errors: 0.02, held: 0 } },
  ...over,
})

it('shows a healthy service by its numbers, which its machine counts', () => {
  const [line, ...others] = cellOf(overview(), service(), 'a', now)
  expect(line).toMatchObject({ state: 'ready', age: '60 min', inFlight: 3, perSecond: 7, errors: 0.02, sentence: null })
  expect(others).toEqual([])
  expect(cellOf(overview(), service(), 'b', now)).toMatchObject([{ state: 'unplaced', sentence: null }])
  expect(cellOf(overview(), service({ state: 'stopped', instances: [] }), 'b', now)[0]?.state).toBe('stopped')
})

it('shows a crash loop also between two crashes, with the way to its last lines', () => {
  const crashing = service({ instances: [instance({ reason: 'exited with status 1', restarts: 7 })] })
  expect(cellOf(overview(), crashing, 'a', now)).toMatchObject([
    {
      ...{ state: 'crashing', sentence: 'exited with status 1, restarted 7 times', isBad: true },
      lastLines: '/logs/shop?instance=shop-1-a-1',
    },
  ])
  expect(shown(overview({ services: [crashing, service()] }), 'not well')).toEqual([crashing])
})

it('shows two lines while a rollout moves a machine, the one that takes requests first', () => {
  const fresh = instance({ id: 'shop-2-a-1', release: 'b'.repeat(64) })
  const rollout = {
    ...{ id: '2', service: 'shop', kind: 'deploy' as const, release: 'b'.repeat(64), previous: 'a'.repeat(64) },
    ...{
      state: 'running' as const,
      reason: null,
      failedInstance: null,
      startedAt: '',
      finishedAt: null,
      prepare: null,
    },
    machines: [{ machine: 'a', state: 'running' as const, phases: [] }],
  }
  const rolled = service({ instances: [instance({ state: 'draining' }), fresh], rollout })
  const rates = { 'shop-2-a-1': 5 }
  expect(cellOf(overview({ rates }), rolled, 'a', now)).toMatchObject([
    { state: 'ready', more: 'new', perSecond: 5 },
    { state: 'draining', sentence: '3 in flight' },
  ])
})

it('shows a lost machine as last seen, and one that is behind', () => {
  const [a, b] = overview().machines
  const lost = overview({ machines: [{ ...a!, state: 'lost' }, b!] })
  const stale = service({ instances: [instance({ stale: true, asOf: '2026-11-29T09:59:00.000Z' })] })
  expect(cellOf(lost, stale, 'a', now)).toMatchObject([{ state: 'lost', sentence: 'last seen 1:00 ago' }])
  expect(cellOf(overview(), service({ behind: ['a'] }), 'a', now)[0]?.state).toBe('behind')
})

it('counts a service as not well whose requests fail, although its instances are ready', () => {
  const none = { next: [], since: null, machine: null, instance: null }
  const text = 'shop answers all requests on a with errors'
  const wrong: Overview['wrong'] = [{ ...none, tone: 'bad', word: 'errors', subject: 'shop', text, service: 'shop' }]
  const all = [service(), service({ service: 'site' })]
  expect(shown(overview({ services: all, wrong }), 'not well').map((one) => one.service)).toEqual(['shop'])
})
