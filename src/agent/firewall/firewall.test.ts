import { expect, it } from 'vitest'
import type { Call, FirewallDriver, Guard, Seen } from '../../drivers/firewall/firewall.ts'
import { TestClock } from '../../lib/testing/testClock.ts'
import { until } from '../../lib/testing/until.ts'
import { aDesiredState } from '../testing/given.ts'
import { firewall, lookEveryMs } from './firewall.ts'

const guard = { mode: 'enforce' as const, users: [], routes: [] }
const call: Call = { from: 'user man', to: 'db', port: 5432, seen: 0, refused: 2 }

/** A table that can refuse rules. */
class Table implements FirewallDriver {
  why: string | null = null
  held: (Guard | null)[] = []
  looks = 0
  isThere = true
  fails = false
  seen: Seen = { isRestored: false, calls: [], problems: [] }

  async hold(rules: Guard | null): Promise<void> {
    if (this.fails) throw new Error('nft did not accept the rules')
    this.held.push(rules)
  }

  async seemsThere(): Promise<boolean> {
    return this.isThere
  }

  async look(): Promise<Seen | null> {
    this.looks++
    return this.seen
  }
}

function given() {
  const [table, clock, problems] = [new Table(), new TestClock(), new Map<string, unknown>()]
  let changes = 0
  const feature = firewall({
    ...{ driver: table, clock, changed: () => void changes++ },
    problems: { add: (name, error) => void problems.set(name, error), solved: (name) => void problems.delete(name) },
  })
  return { table, clock, problems, feature, changes: () => changes }
}

it('holds the rules once, and again when they change', async () => {
  const { table, feature } = given()
  for (const mode of ['enforce', 'enforce', 'observe'] as const) {
    feature.want(aDesiredState({ firewall: { ...guard, mode } }), false)
    await feature.close?.()
  }
  expect(table.held.map((one) => one?.mode)).toEqual(['enforce', 'observe'])
  expect(feature.report().firewall).toEqual({ state: 'observing', why: null, calls: [] })
})

it('looks at the table once a minute, and reports what it has counted', async () => {
  const { table, clock, feature, changes } = given()
  feature.want(aDesiredState({ firewall: guard }), false)
  await feature.close?.()
  table.seen = { isRestored: true, calls: [call], problems: ['user man answered on port 18001, which is that of db'] }
  feature.retry?.(null)
  await feature.close?.()
  expect(table.looks).toBe(1)
  clock.pass(lookEveryMs)
  feature.retry?.(null)
  await until(() => expect(table.looks).toBe(2))
  expect(feature.report().firewall).toEqual({ state: 'enforcing', why: null, calls: [call] })
  expect(feature.problems?.()).toEqual(['user man answered on port 18001, which is that of db'])
  expect(changes()).toBe(1)
})

it('looks at once when the table is gone, and not again and again where it only seems to be', async () => {
  const { table, feature } = given()
  const beat = async (isThere: boolean, isRestored: boolean): Promise<number> => {
    table.isThere = isThere
    table.seen = { ...table.seen, isRestored }
    feature.retry?.(null)
    await feature.close?.()
    return table.looks
  }
  feature.want(aDesiredState({ firewall: guard }), false)
  expect([await beat(true, false), await beat(false, true), await beat(true, false)]).toEqual([1, 2, 2])
  expect([await beat(false, false), await beat(false, false)]).toEqual([3, 3])
})

it('says why it holds nothing, and tries again', async () => {
  const { table, problems, feature } = given()
  table.fails = true
  feature.want(aDesiredState({ firewall: guard }), false)
  await feature.close?.()
  expect(feature.report().firewall).toMatchObject({ state: 'unable', why: 'nft did not accept the rules' })
  expect([...problems.keys()]).toEqual(['firewall'])
  table.fails = false
  feature.retry?.(null)
  await feature.close?.()
  expect(feature.report().firewall.state).toBe('enforcing')
  expect(problems.size).toBe(0)
})

it('asks nothing of a machine that can hold no rules, and says so', async () => {
  const { table, feature } = given()
  table.why = 'nft is not installed'
  feature.want(aDesiredState({ firewall: guard }), false)
  await feature.close?.()
  expect(table.held).toEqual([])
  expect(feature.problems?.()).toEqual(['nothing keeps services of this machine from each other: nft is not installed'])
  feature.want(aDesiredState({ firewall: { ...guard, mode: 'observe' } }), false)
  expect(feature.problems?.()).toEqual([])
  expect(feature.report().firewall).toEqual({ state: 'unable', why: 'nft is not installed', calls: [] })
})

it('lets go of the rules when the controller wants none', async () => {
  const { table, feature } = given()
  feature.want(aDesiredState({ firewall: guard }), false)
  feature.want(aDesiredState({ firewall: null }), false)
  await feature.close?.()
  expect(table.held.at(-1)).toBe(null)
  expect(feature.report().firewall.state).toBe('off')
})
