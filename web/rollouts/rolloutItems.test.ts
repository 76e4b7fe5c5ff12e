import { signal } from '@preact/signals'
import { expect, it } from 'vitest'
import type { Overview } from '../../src/api/overview.ts'
import type { Api } from '../lib/api.ts'
import type { Cluster } from '../lib/cluster.ts'
import { rolloutItems } from './rolloutItems.ts'

type Service = Overview['services'][number]

const service = (name: string, over: Partial<Service> = {}): Service => ({
  ...{ service: name, release: 'a'.repeat(64), state: 'running', routes: [], behind: [], rollout: null },
  ...{ instances: [], ...over },
})

const rollout: NonNullable<Service['rollout']> = {
  ...{ id: 'r1', service: 'shop', kind: 'deploy', release: 'b'.repeat(64), previous: 'a'.repeat(64) },
  ...{ state: 'running', reason: null, failedInstance: null, startedAt: '2026-11-29T10:00:00.000Z' },
  ...{ finishedAt: null, prepare: null, machines: [] },
}

function cluster(services: Service[]) {
  const asked: unknown[] = []
  const ask =
    (how: string) =>
    async (...call: unknown[]) => {
      asked.push([how, ...call.slice(0, 2)])
      return { rollout: null }
    }
  const api = { call: ask('call'), rehearse: ask('rehearse') } as unknown as Api
  const overview = signal({ services } as unknown as Overview)
  return { asked, cluster: { api, overview } as unknown as Cluster } // nothing else is used
}

it('offers what can be done with each service, and says why the rest cannot', () => {
  const items = rolloutItems(cluster([service('api'), service('admin', { state: 'stopped' })]).cluster)
  expect(items.map(({ command, refusal }) => `${command}: ${refusal}`)).toEqual([
    'tandem rollback api: null',
    'tandem restart api: null',
    'tandem stop api: null',
    'tandem start api: Nothing to do: api runs.',
    'tandem rollback admin: null',
    'tandem restart admin: Not possible: admin is stopped. Start it instead.',
    'tandem stop admin: Nothing to do: admin is stopped.',
    'tandem start admin: null',
  ])
})

it('leads to a rollout that runs, offers to abort it, and refuses the rest until then', async () => {
  const given = cluster([service('shop', { rollout })])
  const [running, abort, ...others] = rolloutItems(given.cluster)
  expect(running).toMatchObject({ group: 'Go to', path: '/rollouts/r1', command: 'tandem rollout show r1' })
  expect(abort).toMatchObject({ group: 'Do', name: 'Abort rollout r1 of shop', command: 'tandem rollout abort r1' })
  expect(new Set(others.map(({ refusal }) => refusal))).toEqual(
    new Set(['Not now: rollout r1 of shop runs. Abort it instead.']),
  )
  await abort?.change?.ask(new AbortController().signal)
  await abort?.change?.run()
  await others[1]?.change?.run()
  expect(given.asked).toEqual([
    ['rehearse', 'abortRollout', { params: { id: 'r1' } }],
    ['call', 'abortRollout', { params: { id: 'r1' } }],
    ['call', 'startRollout', { body: { service: 'shop', kind: 'restart' } }],
  ])
})
