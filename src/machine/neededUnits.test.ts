import { expect, it } from 'vitest'
import { neededUnits, type Known } from '../examine/featureExamination.ts'
import { examinations } from './features.ts'

const settings: Known['settings'] = {
  ...{ cluster: 'c', address: '10.0.0.1', addresses: ['10.0.0.50'], advert: 100 },
  entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
  drivers: { supervisor: 'systemd', balancer: 'haproxy', address: 'keepalived' },
}
const known: Known = { settings, parts: ['tandem-agent.service'], hasRun: true, told: settings }
const withDrivers = (drivers: Partial<Known['settings']['drivers']>): Partial<Known> => ({
  settings: { ...settings, drivers: { ...settings.drivers, ...drivers } },
})

it.each<[string, Partial<Known>, string[]]>([
  ['with all drivers', {}, ['agent', 'haproxy', 'keepalived', 'guard']],
  ['whose agent is started by hand', { parts: [] }, ['haproxy', 'keepalived', 'guard']],
  ['that has just joined', { hasRun: false, told: null }, ['agent']],
  ['that has not received its settings yet', { told: null }, ['agent', 'haproxy']],
  ['of a cluster without virtual addresses', { settings: { ...settings, addresses: [] } }, ['agent', 'haproxy']],
  ['that has not received any virtual address yet', { told: { ...settings, addresses: [] } }, ['agent', 'haproxy']],
  ['with addresses by script', withDrivers({ address: 'command' }), ['agent', 'haproxy']],
  ['without HAProxy', withDrivers({ balancer: 'embedded', address: 'none' }), ['agent']],
])('a machine %s', (_what, changed, expected) => {
  expect(neededUnits({ ...known, ...changed }, examinations.all)).toEqual(
    expected.map((name) => `tandem-${name}.service`),
  )
})
