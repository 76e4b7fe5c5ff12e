import { describe, expect, it } from 'vitest'
import type { ClusterMap, MapEdge, MapNode } from '../../src/api/map.ts'
import { countedWords, nodeState, oddWords } from '../lib/edges.ts'
import { mapTitle } from './mapWords.ts'

type ServiceNode = Extract<MapNode, { kind: 'service' }>
const node = (name: string, state: ServiceNode['state'] = 'ready'): ServiceNode => ({
  ...{ kind: 'service', name, state, machines: ['a'], routes: [], box: { x: 0, y: 0, width: 1, height: 1 } },
  about: { owner: null, runbook: null, what: null },
})
const edge = (over: Partial<MapEdge> = {}): MapEdge => ({
  ...{
    from: 'shop',
    to: 'db',
    declared: true,
    optional: false,
    port: 1,
    as: 'DB',
    path: 'M0 0',
    seen: null,
    refused: null,
    mark: null,
  },
  ...over,
})
const map = (nodes: MapNode[], edges: MapEdge[] = []): ClusterMap => ({
  ...{ cluster: 'production', size: { width: 1, height: 1 }, countedSince: null, nodes, edges, machines: [] },
})
const at = '2026-11-29T12:00:00.000Z'

describe('the heading of the map', () => {
  it('counts services and calls', () => {
    expect(mapTitle(map([node('shop'), node('db'), node('mail', 'missing')], [edge()]))).toBe('2 services, 1 call.')
  })

  it('names what is down, and says which calls are odd', () => {
    const nodes = [node('shop', 'partly'), node('db', 'down')]
    const title = mapTitle(map(nodes, [edge({ mark: 'undeclared' }), edge({ mark: 'unused' })]))
    expect(title).toBe('2 services, 2 calls. db is down. shop is partly ready. 1 undeclared. 1 unused.')
  })
})

describe('a call', () => {
  it('says how often and when, or that nothing counts', () => {
    const seen = { count: 1_200, first: at, last: at }
    expect(countedWords(seen, { countedSince: at }, Date.parse(at) + 3_000)).toBe('1,200, last at 12:00')
    expect(countedWords(null, { countedSince: at }, 0)).toBe('none')
    expect(countedWords(seen, { countedSince: null }, 0)).toBe('not counted')
  })

  it('says what is odd about it', () => {
    expect(oddWords(edge())).toBeNull()
    expect(oddWords(edge({ mark: 'undeclared', refused: { count: 2, first: at, last: at } }))).toBe(
      'undeclared, refused 2 times',
    )
  })

  it('has the state of the service that is called', () => {
    expect([nodeState(node('db', 'down')), nodeState(node('db'))]).toEqual(['failed', 'ready'])
  })
})
