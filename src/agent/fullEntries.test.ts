import { expect, it } from 'vitest'
import type { BalancerCounters } from '../drivers/balancer/balancer.ts'
import { FullEntries } from './fullEntries.ts'

const counters = (count: number): BalancerCounters => ({
  ...{ requests: [], retries: 0, held: 0, openConnections: 10_000 },
  refused: [
    { reason: 'no-route', count: 7 },
    { reason: 'connections', count },
  ],
})

it('says that the entries are full while connections are refused and a minute longer, and counts each spell afresh', () => {
  const entries = new FullEntries()
  expect(entries.problems({ ...counters(0), refused: [] }, 0)).toEqual([])
  expect(entries.problems(counters(0), 1_000)).toEqual([])
  expect(entries.problems(counters(5), 2_000)).toEqual([
    'its entries are full: 5 connections refused lately, 10000 open; those go on',
  ])
  expect(entries.problems(counters(8), 50_000)).toEqual([expect.stringContaining('8 connections refused')])
  expect(entries.problems(counters(8), 109_000)).toHaveLength(1)
  expect(entries.problems(counters(8), 111_000)).toEqual([])
  expect(entries.problems(counters(9), 200_000)).toEqual([expect.stringContaining('1 connections refused')])
})
