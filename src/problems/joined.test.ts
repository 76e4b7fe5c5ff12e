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
