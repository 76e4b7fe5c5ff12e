import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { History, type Happening } from './testing/history.ts'

/**
 * Random histories: operators, machines that go wrong in every possible way, and passing time; then a calm in which
 * time passes and machines answer.
 */
const { seed, count: numRuns } = randomRun('histories', { check: 2_000, soak: 50_000 })
const happening = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 17, arbitrary: fc.nat({ max: 22 }) }),
  fc.nat({ max: 29 }),
  fc.nat({ max: 119 }),
  fc.nat({ max: 119 }),
) as fc.Arbitrary<Happening>

describe('random histories', () => {
  it(`keep every invariant (${numRuns} of them, TANDEM_SEED=${seed})`, () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.nat({ max: 2 }),
      fc.array(happening, { minLength: 3, maxLength: 24 }),
      (machines, services, happenings) => {
        const history = new History(machines, isDeepStrictEqual)
        history.begin(services)
        for (const one of happenings) history.happens(one)
        history.letTimePass()
        history.heal()
        history.letTimePass()
        history.checkRest()
        history.checkLog()
      },
    )
    const result = fc.check(property, { seed, numRuns, endOnFailure: false })
    expect(result.failed, `${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}`).toBe(false)
  }, 3_600_000)
})
