import { expect, it } from 'vitest'
import type { BalancerCounters } from '../../drivers/balancer/balancer.ts'
import { FullEntries } from './fullEntries.ts'

const counters = (count: number): BalancerCounters => ({
  ...{ requests: [], retries: 0, held: 0, openConnections: 10_000 },
  refused: [
    { reason: 'no-route', count: 7 },
    { reason: 'connections', count },
  ],
})

it('reports full entries while connections are refused and a minute longer, and counts each period separately', () => {
  const entries = new FullEntries()
  expect(entries.problems({ ...counters(0), refused: [] }, 0)).toEqual([])
  expect(entries.problems(counters(0), 1_000)).toEqual([])
  expect(entries.problems(counters(5), 2_000)).toEqual([
    'the entries of this machine are full: 5 connections refused recently; 10000 open connections continue',
  ])
  expect(entries.problems(counters(8), 50_000)).toEqual([expect.stringContaining('8 connections refused')])
  expect(entries.problems(counters(8), 109_000)).toHaveLength(1)
  expect(entries.problems(counters(8), 111_000)).toEqual([])
  expect(entries.problems(counters(9), 200_000)).toEqual([expect.stringContaining('1 connections refused')])
})
