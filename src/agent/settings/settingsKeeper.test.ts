import { expect, it } from 'vitest'
import type { Logger } from 'pino'
import { Problems } from '../problems.ts'
import { SettingsKeeper } from './settingsKeeper.ts'
import { aDesiredState } from '../testing/given.ts'

const quiet = { error: () => {} } as unknown as Logger // the only method that Problems uses
const settings = {
  ...{
    cluster: 'test',
    address: '10.0.0.1',
    entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
    addresses: [],
    advert: 100,
  },
  drivers: { supervisor: 'systemd', balancer: 'haproxy', address: 'none' },
} as const

it('retries failed settings with each heartbeat, then applies the newest, and stops once they are applied', async () => {
  const taken: (string | null)[] = []
  let trouble: Error | null = new Error('the privileged helper did not answer')
  const problems = new Problems(quiet, () => {})
  const keeper = new SettingsKeeper(async (_settings, order) => {
    taken.push(order)
    if (trouble) throw trouble
  }, problems)
  const state = (order: string) =>
    aDesiredState({
      settings: { ...settings, addresses: [] },
      orders: { ...aDesiredState({}).orders, settings: order },
    })
  await keeper.want(state('one'))
  expect(problems.list()).toEqual(['cluster file: the privileged helper did not answer'])
  trouble = null
  await Promise.all([keeper.retry(), keeper.want(state('two'))])
  await keeper.retry()
  await keeper.retry()
  expect(taken).toEqual(['one', 'one', 'two'])
  expect(problems.list()).toEqual([])
})
