import { describe, expect, it } from 'vitest'
import { desiredStateSchema } from './desiredState.ts'
import { reportSchema } from './report.ts'
import { abilityNames } from './slices.ts'

/** The keys that the agents and controllers of the first version send; every key that came later has a default. */
const first = {
  desired: {
    ...{ machine: 'a', fetch: [], keep: [], definitions: {}, instances: [], routes: [], peers: [], prepare: [] },
    ...{ removedData: [], drained: false, cluster: 'c', term: 1, terms: [], position: 1 },
  },
  report: {
    ...{ machine: 'a', boot: 1, seq: 1, version: '0.1.0', seen: null, refused: null, fetched: [], fetchFailures: [] },
    ...{ applied: { supervisor: 0, balancer: 0, address: 0 }, instances: [], prepared: [], removedData: [] },
    ...{ endpoints: { host: 'h', http: 1, forward: 2, metrics: 3 }, problems: [], held: null },
    limits: { memory: true, cpu: true, tasks: true, why: null },
  },
}

describe('the slices', () => {
  it('of a later version are missing in messages of the first one, which are understood', () => {
    expect(desiredStateSchema.parse(first.desired)).toMatchObject({ localRoutes: [], maintenance: null })
    expect(reportSchema.parse(first.report)).toMatchObject({
      abilities: [],
      definitionKeys: [],
      maintenance: null,
      program: null,
    })
  })

  it('that this version does not know are ignored', () => {
    const parsed = desiredStateSchema.parse({ ...first.desired, madeUp: { anything: 1 } })
    expect(Object.keys(parsed)).not.toContain('madeUp')
    expect(Object.keys(reportSchema.parse({ ...first.report, madeUp: [] }))).not.toContain('madeUp')
  })

  it('name each ability once', () => {
    expect(new Set(abilityNames).size).toBe(abilityNames.length)
  })
})
