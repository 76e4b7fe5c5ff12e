import { describe, expect, it } from 'vitest'
import { mapSchema, type ClusterMap } from '../../api/map.ts'
import { deploy, stop } from '../../decider/testing/given.ts'
import { World } from '../../decider/testing/world.ts'
import type { Definition } from '../../definitions/definition.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import { clusterMap, notCounted, type Counts } from './view.ts'

const day = 24 * 3_600_000

function given() {
  const world = new World(['a', 'b'], undefined, { cluster: 'production', laptop: false })
  const push = (release: string, definition: Partial<Definition>): void => {
    const whole = aDefinition(definition)
    world.publish(release, whole)
    world.send(deploy(release, { service: whole.service })(world))
    world.settle()
  }
  push('p1', { service: 'postgres', listen: 'tcp', routes: [{ port: 5432, expose: 'local' }], machines: ['b'] })
  push('r1', {
    uses: [{ service: 'postgres', as: 'db' }, { service: 'mail', optional: true }, { address: 'api.example.com:443' }],
    about: { owner: 'payments', what: 'The web shop' },
  })
  return { world, map: (counts: Counts = notCounted): ClusterMap => clusterMap(world.state, counts, world.now) }
}

const edges = ({ edges: all }: ClusterMap): string[] =>
  all.map(({ from, to, mark, port, optional }) =>
    [from, to, port, mark, optional ? 'optional' : null].filter((one) => one !== null).join(' '),
  )

describe('the map', () => {
  it('has services, addresses outside, and the edges of `uses`', () => {
    const { map } = given()
    expect(mapSchema.parse(map())).toEqual(map())
    expect(map().nodes).toEqual([
      expect.objectContaining({ name: 'postgres', state: 'ready', machines: ['b'], routes: [] }),
      expect.objectContaining({
        name: 'shop',
        machines: ['a', 'b'],
        routes: ['*/'],
        about: { owner: 'payments', runbook: null, what: 'The web shop' },
      }),
      expect.objectContaining({ kind: 'service', name: 'mail', state: 'missing' }),
      expect.objectContaining({ kind: 'outside', name: 'api.example.com:443' }),
    ])
    expect(edges(map())).toEqual(['shop api.example.com:443 443', 'shop mail optional', 'shop postgres 5432'])
  })

  it('marks calls that no definition names, and uses that nobody calls for a week', () => {
    const { world, map } = given()
    const time = new Date(world.now - day).toISOString()
    const seen = { count: 5, first: time, last: time }
    const undeclared = { from: 'postgres', to: 'shop', seen, refused: null }
    expect(edges(map({ since: world.now - 8 * day, edges: [undeclared] }))).toEqual([
      'postgres shop undeclared',
      'shop api.example.com:443 443',
      'shop mail unused optional',
      'shop postgres 5432 unused',
    ])
    const called = { from: 'shop', to: 'postgres', seen, refused: null }
    expect(edges(map({ since: world.now - 8 * day, edges: [called] }))).toContain('shop postgres 5432')
    expect(edges(map({ since: world.now - 6 * day, edges: [] }))).toContain('shop postgres 5432')
  })

  it('shows services that are down, partly ready, or stopped', () => {
    const { world, map } = given()
    const state = (name: string): string | undefined => {
      const node = map().nodes.find((one) => one.name === name)
      return node?.kind === 'service' ? node.state : undefined
    }
    world.machine('b').crash('p1')
    world.hear('b')
    expect(state('postgres')).toBe('down')
    world.send(stop({ service: 'postgres' })(world))
    world.settle()
    expect(state('postgres')).toBe('stopped')
  })
})
