import { describe, expect, it } from 'vitest'
import type { DesiredRoute, DesiredState } from '../protocol/desiredState.ts'
import type { InstanceState } from '../protocol/report.ts'
import { routingPlan } from './routingPlan.ts'
import { aDefinition, aDesiredState, anInstance, release } from './testing/given.ts'

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
  it('leads to instances that are wanted in traffic and really ready', () => {
    expect(targets({ instances: [anInstance({ id: 'x' })] }, { x: local('ready') })).toEqual(['x active'])
  })
  it.each(['starting', 'failed', 'draining', 'stopped'] as const)('gives no new work to one that is %s', (state) => {
    expect(targets({ instances: [anInstance({ id: 'x' })] }, { x: local(state) })).toEqual(['x draining'])
  })
  it('gives no new work to an idle one', () => {
    expect(targets({ instances: [anInstance({ id: 'x', traffic: 'idle' })] }, { x: local('ready') })).toEqual([
      'x draining',
    ])
  })
  it('keeps naming one that is no longer wanted until nothing of it is left', () => {
    expect(targets({ instances: [] }, { x: local('draining') })).toEqual(['x draining'])
    expect(targets({ instances: [] }, {})).toEqual([])
  })
  it('leads only to releases that declare the route', () => {
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
  it('names the peers that may be forwarded to, by the ports they told', () => {
    const peers = [
      { machine: 'b', host: '10.0.0.2', forwardPort: 7000 },
      { machine: 'c', host: '10.0.0.3', forwardPort: 7001 },
    ]
    expect(plan({ peers, routes: [route({ forwardTo: ['c'] })] }, {}).routes[0]?.peers).toEqual([
      { machine: 'c', host: '10.0.0.3', port: 7001 },
    ])
  })
  it('shifts tcp ports by the laptop offset and keeps the name that machines share', () => {
    const routes = [route({ match: { kind: 'tcp', port: 5672 } })]
    expect(plan({ routes }, {}, 1000).routes[0]).toMatchObject({ kind: 'tcp', port: 6672, name: 5672 })
  })
  it('carries the position it was made from, and the limits of the route', () => {
    const made = plan({ position: 77, routes: [route({ holdMs: 30_000, idleMs: 5, bodyBytes: 9 })] }, {})
    expect(made.position).toBe(77)
    expect(made.routes[0]).toMatchObject({ holdMs: 30_000, idleMs: 5, bodyBytes: 9 })
  })
})
