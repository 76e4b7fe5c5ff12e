import { expect, it } from 'vitest'
import { problem } from '../api/standingProblem.ts'
import { diskFull } from './checkProblems.ts'
import { joined } from './joined.ts'

const instance = (machine: string) => ({
  ...{ id: `orders-1-${machine}-1`, machine, release: 'r', state: 'ready' as const, port: 1, since: null, pid: 1 },
  ...{ restarts: 0, reason: null, work: 0, stale: false, asOf: null },
})
const service = {
  ...{ service: 'orders', release: 'r', state: 'running' as const, routes: [], behind: [], rollout: null },
  instances: [instance('a'), instance('b')],
}
const disk = problem({ tone: 'bad', word: diskFull, subject: 'machine b', text: 'machine b: full', machine: 'b' })
const errors = (machine: string | null) =>
  problem({ tone: 'bad', word: 'errors', subject: 'orders', text: 'orders fails', service: 'orders', machine })

it('names the full disk of a machine of the service, and no disk of another machine', () => {
  const text = (machine: string | null): string | undefined =>
    joined([errors(machine), disk], { services: [service] })[0]?.text
  expect(text(null)).toBe('orders fails; the disk of machine b is full')
  expect(text('b')).toBe('orders fails; the disk of machine b is full')
  expect(text('a')).toBe('orders fails')
})

it('leaves warnings, and problems of no service, as they are', () => {
  const warning = { ...errors('b'), tone: 'warn' as const }
  expect(joined([warning, disk], { services: [service] })).toEqual([warning, disk])
})

const change = (service: string, at: string, by: string | null) => ({
  ...{ position: 1, at, type: 'RolloutStarted', by, service, machine: null, rollout: 'r', instance: null },
  ...{ sign: 'running' as const, subject: service, text: 'rollout aaa → bbb started' },
})

it('names the change that a person made to the service right before, and who stopped a service that it uses', () => {
  const since = '2026-11-30T07:16:44.000Z'
  const text = (at: string, by: string | null, name = 'orders'): string | undefined =>
    joined([{ ...errors(null), since }], { services: [service] }, [change(name, at, by)])[0]?.text
  expect(text('2026-11-30T07:16:40.000Z', 'tom')).toBe(
    'orders fails; at 07:16:40 UTC, by tom: rollout aaa → bbb started',
  )
  expect(text('2026-11-30T07:14:40.000Z', 'tom')).toBe('orders fails')
  expect(text('2026-11-30T07:17:40.000Z', 'tom')).toBe('orders fails')
  expect(text('2026-11-30T07:16:40.000Z', null)).toBe('orders fails')
  expect(text('2026-11-30T07:16:40.000Z', 'tom', 'stock')).toBe('orders fails')
  const stock = { ...service, service: 'stock', state: 'stopped' as const, instances: [] }
  const user = { ...service, uses: [{ service: 'stock', optional: false }] }
  const changes = [change('stock', '2026-11-30T07:00:00.000Z', 'tom')]
  expect(joined([errors(null)], { services: [user, stock] }, changes)[0]?.text).toBe(
    'orders fails; it uses stock, which is stopped (by tom, 07:00:00 UTC)',
  )
  expect(joined([], { services: [user, stock] }, changes)[0]?.text).toBe(
    'orders uses stock, which is stopped (by tom, 07:00:00 UTC)',
  )
})
