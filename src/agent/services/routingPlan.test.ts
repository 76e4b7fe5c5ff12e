import { describe, expect, it } from 'vitest'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { LocalRoute } from '../../protocol/localRoutes.ts'
import type { DesiredRoute } from '../../protocol/services.ts'
import type { InstanceState } from '../../protocol/services.ts'
import { routingPlan } from './routingPlan.ts'
import { aDefinition, aDesiredState, anInstance, release } from '../testing/given.ts'

const older = 'b'.repeat(64)
const route = (over: Partial<DesiredRoute> = {}): DesiredRoute => ({
  service: 'shop',
  match: { kind: 'http', host: null, path: '/' },
  ...{ releases: [release], forwardTo: [], holdMs: null, idleMs: null, bodyBytes: null },
  ...over,
})
const local = (
  state: InstanceState,
  port: number | null = 4000,
  service = 'shop',
): { serves: boolean; port: number | null; definition: ReturnType<typeof aDefinition> } => ({
  serves: state === 'ready',
  port,
  definition: aDefinition({ service }),
})
const plan = (
  desired: Partial<DesiredState>,
  here: Record<string, ReturnType<typeof local>>,
  offset = 0,
): ReturnType<typeof routingPlan> =>
  routingPlan(aDesiredState({ routes: [route()], ...desired }), new Map(Object.entries(here)), offset)
const targets = (...given: Parameters<typeof plan>): string[] =>
  plan(...given).routes.flatMap((one) => one.targets.map(({ instance, state }) => `${instance} ${state}`))

describe('the routing plan of a machine', () => {
  it('targets instances that are wanted in traffic and really ready', () => {
    expect(targets({ instances: [anInstance({ id: 'x' })] }, { x: local('ready') })).toEqual(['x active'])
  })
  it.each(['starting', 'failed', 'draining', 'stopped'] as const)(
    'gives no new work to an instance that is %s',
    (state) => {
      expect(targets({ instances: [anInstance({ id: 'x' })] }, { x: local(state) })).toEqual(['x draining'])
    },
  )
  it('gives no new work to an idle instance', () => {
    expect(targets({ instances: [anInstance({ id: 'x', traffic: 'idle' })] }, { x: local('ready') })).toEqual([
      'x draining',
    ])
  })
  it('keeps an unwanted instance in the plan until nothing of it is left', () => {
    expect(targets({ instances: [] }, { x: local('draining') })).toEqual(['x draining'])
    expect(targets({ instances: [] }, {})).toEqual([])
  })
  it('targets only releases that declare the route', () => {
    const instances = [anInstance({ id: 'new' }), anInstance({ id: 'old', release: older })]
    const here = { new: local('ready', 4000), old: local('ready', 4001) }
    expect(targets({ instances }, here)).toEqual(['new active', 'old draining'])
    expect(targets({ instances, routes: [route({ releases: [older, release] })] }, here)).toEqual([
      'new active',
      'old active',
    ])
  })
  it('gives no new work here when the machine is drained', () => {
    expect(targets({ instances: [anInstance({ id: 'x' })], drained: true }, { x: local('ready') })).toEqual([
      'x draining',
    ])
  })
  it('names neither workers nor other services', () => {
    const here = { x: local('ready', null), y: local('ready', 4001, 'other') }
    expect(targets({ instances: [anInstance({ id: 'x' }), anInstance({ id: 'y', service: 'other' })] }, here)).toEqual(
      [],
    )
  })
  it('names the peers that may get forwarded requests, by the ports they reported', () => {
    const peers = [
      { machine: 'b', host: '10.0.0.2', forwardPort: 7000 },
      { machine: 'c', host: '10.0.0.3', forwardPort: 7001 },
    ]
    expect(plan({ peers, routes: [route({ forwardTo: ['c'] })] }, {}).routes[0]?.peers).toEqual([
      { machine: 'c', host: '10.0.0.3', port: 7001 },
    ])
  })
  it('shifts TCP ports by the laptop offset and keeps the name that machines share', () => {
    const routes = [route({ match: { kind: 'tcp', port: 5672, address: '127.77.0.1' } })]
    const own = { public: true, loopback: '127.77.0.1', port: 6672, name: '5672', also: ['shop/5672'] }
    expect(plan({ routes }, {}, 1000).routes[0]).toMatchObject({ kind: 'tcp', own })
  })
  it('names a local port by its service, and by the port alone if no other service has the same port', () => {
    const local = (service: string, carries: 'http' | 'tcp', port: number): LocalRoute => ({
      ...route({ service }),
      match: { kind: 'local', carries, address: service === 'shop' ? '127.77.0.1' : '127.77.0.2', port },
    })
    const localRoutes = [local('shop', 'tcp', 5432), local('blog', 'tcp', 5432), local('blog', 'tcp', 6379)]
    const [entry, ...ports] = plan({ localRoutes: [...localRoutes, local('shop', 'http', 8080)] }, {}).routes
    expect(entry).toMatchObject({ kind: 'http', host: null, path: '/', own: null })
    expect(ports).toMatchObject([
      {
        service: 'shop',
        kind: 'tcp',
        own: { public: false, loopback: '127.77.0.1', port: 5432, name: 'shop/5432', also: [] },
      },
      {
        service: 'blog',
        kind: 'tcp',
        own: { public: false, loopback: '127.77.0.2', port: 5432, name: 'blog/5432', also: [] },
      },
      {
        service: 'blog',
        kind: 'tcp',
        own: { public: false, loopback: '127.77.0.2', port: 6379, name: 'blog/6379', also: ['6379'] },
      },
      {
        service: 'shop',
        kind: 'http',
        own: { public: false, loopback: '127.77.0.1', port: 8080, name: 'shop/8080', also: [] },
      },
    ])
  })
  it('contains the position it was made from, and the limits of the route', () => {
    const made = plan({ position: 77, routes: [route({ holdMs: 30_000, idleMs: 5, bodyBytes: 9 })] }, {})
    expect(made.position).toBe(77)
    expect(made.routes[0]).toMatchObject({ holdMs: 30_000, idleMs: 5, bodyBytes: 9 })
  })
})
