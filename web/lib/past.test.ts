import { signal } from '@preact/signals'
import { expect, it } from 'vitest'
import type { Api } from './api.ts'
import type { Cluster } from './cluster.ts'
import { clusterThen, type PastOverview } from './past.ts'

const then: PastOverview = {
  asOf: { position: 120, at: '2026-11-29T10:00:00.000Z' },
  cluster: 'local',
  controller: { version: '0.1.0', term: 1, position: 120, problems: null },
  machines: [],
  ...{ absent: [], maintenance: null, addresses: [], notes: [], wrong: [], changes: [] },
  services: [
    {
      ...{ service: 'shop', release: 'r', state: 'running', routes: [], behind: [], rollout: null },
      instances: [
        {
          ...{ id: 'shop-1-a-1', machine: 'a', release: 'r', state: 'ready', port: null, since: null, pid: null },
          ...{ restarts: null, reason: null, work: null, stale: false, asOf: null },
        },
      ],
    },
  ],
}

/** The cluster of then, and the calls that it makes of the present one. */
function past() {
  const asked: unknown[] = []
  const call = async (name: string, given: unknown) => {
    asked.push([name, given])
    return name === 'pastRollout' ? { rollout: { id: 'r1' } } : { rollouts: [] }
  }
  const present = { api: { call } as unknown as Api, now: signal(1), past: null } as unknown as Cluster // no other part is used
  return { asked, cluster: clusterThen(present, then) }
}

it('gives a page the overview of then, without the numbers that the log does not hold', () => {
  const { cluster } = past()
  expect([cluster.past, cluster.now.value]).toEqual([{ position: 120, at: 1_795_946_400_000 }, 1_795_946_400_000])
  const { overview, contact, refusal } = cluster
  expect(overview.value).toMatchObject({ work: {}, load: {}, cells: {}, rates: {}, controller: { problems: [] } })
  expect(overview.value?.services[0]?.instances[0]).toMatchObject({ id: 'shop-1-a-1', state: 'ready' })
  expect(overview.value).not.toHaveProperty('asOf')
  expect([contact.value.state, refusal.value]).toEqual(['live', 'Not possible: this is the past.'])
})

it('answers reads as of then, and refuses everything else', async () => {
  const { asked, cluster } = past()
  const call = cluster.api.call.bind(cluster.api) as (name: string, given: object) => Promise<unknown> // calls of pages to come
  expect(await call('rollout', { params: { id: 'r1' } })).toEqual({ id: 'r1' })
  await call('rollouts', { query: { service: 'shop' } })
  await call('findEvents', { query: { limit: 5 } })
  await call('findEvents', { query: { before: 90 } })
  await call('findEvents', { query: { before: 900 } })
  await call('rolloutNumbers', { params: { id: 'r1' } })
  expect(asked).toEqual([
    ['pastRollout', { params: { id: 'r1' }, query: { at: '120' } }],
    ['pastRollouts', { query: { service: 'shop', at: '120' } }],
    ['findEvents', { query: { limit: 5, before: 121 } }],
    ['findEvents', { query: { before: 90 } }],
    ['findEvents', { query: { before: 121 } }],
    ['rolloutNumbers', { params: { id: 'r1' }, query: { until: '2026-11-29T10:00:00.000Z' } }],
  ])
  await expect(call('startRollout', { body: {} })).rejects.toThrow('Not possible: this is the past.')
  const { api } = cluster
  await expect(api.rehearse('abortRollout', { params: { id: 'r1' } })).rejects.toThrow(
    'Not possible: this is the past.',
  )
  const { state } = cluster.openTail({ service: 'shop' }, () => {})
  expect(state.value).toMatchObject({ state: 'refused', reason: 'the event log holds no output' })
})
