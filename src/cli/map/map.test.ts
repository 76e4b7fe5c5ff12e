import { describe, expect, it } from 'vitest'
import type { ClusterMap, MapEdge } from '../../api/map.ts'
import { mapMermaid } from './mermaid.ts'
import { mapLines } from './render.ts'
import { mapSvg } from './svg.ts'

const now = Date.parse('2026-11-29T12:00:00.000Z')
const time = '2026-11-29T11:59:00.000Z'
const edge = (from: string, to: string, over: Partial<MapEdge> = {}): MapEdge => ({
  ...{ from, to, declared: true, optional: false, port: 5432, as: to.toUpperCase(), path: 'M0 0' },
  ...{ seen: { count: 12, first: time, last: time }, refused: null, mark: null },
  ...over,
})
const node = (name: string): Extract<ClusterMap['nodes'][number], { kind: 'service' }> => ({
  ...{
    kind: 'service',
    name,
    state: 'ready',
    machines: ['a', 'b'],
    routes: [],
    box: { x: 0, y: 0, width: 1, height: 1 },
  },
  about: { owner: null, runbook: null, what: null },
})

const map: ClusterMap = {
  cluster: 'production',
  size: { width: 1, height: 1 },
  countedSince: '2026-11-20T12:00:00.000Z',
  nodes: [
    { ...node('shop'), routes: ['*/'], about: { owner: '<payments>', runbook: 'https://x', what: 'The shop' } },
    { ...node('postgres'), state: 'down', machines: ['b'] },
    { kind: 'outside', name: 'api.example.com:443', box: { x: 0, y: 0, width: 1, height: 1 } },
  ],
  edges: [
    edge('shop', 'postgres', { as: 'DB' }),
    edge('shop', 'api.example.com:443', { port: 443, as: null, seen: null }),
    edge('postgres', 'shop', {
      declared: false,
      port: null,
      as: null,
      mark: 'undeclared',
      refused: { count: 2, first: time, last: time },
    }),
  ],
  machines: [],
}
const plain = (_: string, text: string): string => text

describe('the map', () => {
  it('is a table of services and one of calls', () => {
    expect(mapLines(map, now, plain)).toEqual([
      'SERVICE   STATE  MACHINES  PUBLIC  OWNER       ABOUT',
      'shop      ready  a, b      */      <payments>  The shop   https://x',
      'postgres  down   b         -       -           -',
      '',
      'CALLER    CALLS                PORT  CONNECTIONS       REMARKS',
      'shop      postgres as DB       5432  12, last 60s ago',
      'shop      api.example.com:443  443   none',
      'postgres  shop                 -     12, last 60s ago  undeclared, refused 2 times, last 60s ago',
      '',
      'undeclared: called without being named in `uses` of the caller',
    ])
  })

  it('says that nothing counts connections, where that is so', () => {
    expect(mapLines({ ...map, countedSince: null }, now, plain)[5]).toBe(
      'shop      postgres as DB       5432  not counted',
    )
  })

  it('is a flowchart', () => {
    expect(mapMermaid(map).split('\n').slice(0, 7)).toEqual([
      'flowchart LR',
      '  n0["shop<br/>#lt;payments#gt;"]',
      '  n1["postgres"]:::down',
      '  n2(["api.example.com:443"]):::outside',
      '  n0 -->|5432| n1',
      '  n0 -->|443| n2',
      '  n1 -->|undeclared| n0',
    ])
  })

  it('is a drawing in which no text becomes markup', () => {
    const svg = mapSvg(map)
    expect(svg).toContain('&lt;payments&gt;')
    expect(svg.match(/<g class="[^"]*"><title>/g)).toHaveLength(6)
    expect(svg).toContain('<g class="undeclared"><title>postgres calls shop, undeclared</title>')
    expect(svg.startsWith('<svg ')).toBe(true)
  })
})
