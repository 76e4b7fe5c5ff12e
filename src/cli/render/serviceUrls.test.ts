import { describe, expect, it } from 'vitest'
import type { Status } from '../../api/views.ts'
import { nothingOfFeatures } from '../testing/views.ts'
import { urlsOf } from './serviceUrls.ts'

const machine = (name: string, state: 'ready' | 'drained', httpPort: number): Status['machines'][number] => ({
  ...{ name, state, httpPort, host: '127.0.0.1', metricsPort: 1, lastSeen: null, version: null, limits: null },
  problems: [],
})
const instance = (on: string): Status['services'][number]['instances'][number] => ({
  ...{ id: `x-${on}`, machine: on, release: 'r', state: 'ready', port: 1, since: null, pid: 1, restarts: 0 },
  ...{ reason: null, work: 0, stale: false, asOf: null },
})
const status = (routes: string[], machines = [machine('a', 'ready', 8001)]): Status => ({
  cluster: 'local',
  controller: { version: '0', term: 1, position: 1, problems: [] },
  absent: [],
  ...nothingOfFeatures,
  machines,
  services: [
    {
      ...{ service: 'x', release: 'r', state: 'running', routes, behind: [], rollout: null },
      instances: machines.map(({ name }) => instance(name)),
    },
  ],
})

describe('the URLs of a service', () => {
  it.each([
    [
      ['*/', 'x.localhost/'],
      ['http://127.0.0.1:8001/', 'http://x.localhost:8001/'],
    ],
    [['shop.example.com/cart'], ['http://shop.example.com:8001/cart']],
    [[':5672'], ['127.0.0.1:5672']],
    [[], []],
  ])('%j: %j', (routes, addresses) => {
    expect(urlsOf(status(routes), 'x')).toEqual(addresses)
  })

  it('is the loopback address of a local route', () => {
    const known = status(['*/', ':6379', ':8080'])
    const [service] = known.services
    const at = { expose: 'local' as const, address: '127.77.1.2', unsaid: false }
    const access = [
      { ...at, route: ':6379', carries: 'tcp' as const, port: 6379 },
      { ...at, route: ':8080', carries: 'http' as const, port: 8080 },
    ]
    expect(urlsOf({ ...known, services: service ? [{ ...service, access }] : [] }, 'x')).toEqual([
      ...['http://127.0.0.1:8001/', '127.77.1.2:6379', 'http://127.77.1.2:8080/'],
    ])
  })

  it('names a machine in traffic, and omits the default port', () => {
    const machines = [machine('a', 'drained', 8001), machine('b', 'ready', 80)]
    expect(urlsOf(status(['*/'], machines), 'x')).toEqual(['http://127.0.0.1/'])
    expect(urlsOf(status(['*/'], [machine('a', 'drained', 8001)]), 'x')).toEqual([])
  })
})
