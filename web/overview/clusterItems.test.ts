import { signal } from '@preact/signals'
import { expect, it } from 'vitest'
import type { Overview } from '../../src/api/overview.ts'
import type { Api } from '../lib/api.ts'
import type { Cluster } from '../lib/cluster.ts'
import { clusterItems } from './clusterItems.ts'

const change: Overview['changes'][number] = {
  ...{ position: 7, at: '2026-11-29T10:00:00.000Z', type: 'MachineLost', sign: 'lost', subject: 'machine b' },
  ...{ text: 'is lost', service: null, machine: 'b', rollout: null, instance: null, by: null },
}

it('finds services, machines, actions on machines, and the newest changes', async () => {
  const overview = {
    services: [{ service: 'shop' }],
    machines: [
      { name: 'a', state: 'ready' },
      { name: 'b', state: 'drained' },
    ],
  }
  const asked: unknown[] = []
  const api = { call: async (...call: unknown[]) => void asked.push(call) } as unknown as Api
  const value = { ...overview, changes: [change, { ...change, rollout: 'r1' }] } as unknown as Overview
  const items = clusterItems({ api, overview: signal(value) } as unknown as Cluster) // nothing else is used
  expect(items.map(({ name, refusal, path }) => [name, path ?? refusal])).toEqual([
    ['Service shop', '/services/shop'],
    ['Machine a', '/machines/a'],
    ['Machine b', '/machines/b'],
    ['Drain machine a', null],
    ['Put machine a back in traffic', 'Nothing to do: machine a is in traffic.'],
    ['Drain machine b', 'Nothing to do: machine b is drained.'],
    ['Put machine b back in traffic', null],
    ['machine b is lost', '/timeline?at=7'],
    ['machine b is lost', '/rollouts/r1'],
  ])
  await items[3]?.change?.run()
  expect(asked).toEqual([['drainMachine', { params: { machine: 'a' }, body: {} }]])
  expect(clusterItems({ api, overview: signal(null) } as unknown as Cluster)).toEqual([])
})
