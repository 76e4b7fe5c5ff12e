import { expect, it } from 'vitest'
import { expensiveProbes } from './expensiveProbes.ts'

it('names the instances whose health command uses more than 5 % of a processor', () => {
  const of = (id: string, probeShare: number | null) => ({ id, probeShare })
  expect(expensiveProbes([of('a', null), of('b', 0.05), of('c', 0.124)])).toEqual([
    'the health command of c uses 12 % of a processor (limit: 5 %): make it cheaper, or make `health.every` longer',
  ])
})
