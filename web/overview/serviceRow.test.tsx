import { renderToString } from 'preact-render-to-string'
import { expect, it } from 'vitest'
import type { Overview } from '../../src/api/overview.ts'
import type { Service } from './cells.ts'
import { ServiceRow, type Layout } from './serviceRow.tsx'

const release = 'a'.repeat(64)
type Instance = Service['instances'][number]
const instance = (machine: string, over: Partial<Instance> = {}): Instance => ({
  ...{ id: `shop-1-${machine}-1`, machine, release, state: 'ready', port: 1, pid: 1, restarts: 0 },
  ...{ since: '2026-11-29T09:00:00.000Z', reason: null, stale: false, asOf: null, ...over },
})
const overview = {
  machines: ['a', 'b'].map((name) => ({ name, state: 'ready' })),
  work: { 'shop-1-a-1': 3 },
  rates: { 'shop-1-b-1': 4 },
  cells: { 'shop a': { perSecond: 7, errors: 0.02, held: 0 } },
} as unknown as Overview // a row reads nothing else

/** The text of each cell, and how many columns it takes. */
function cells(layout: Layout, instances: Instance[], over: Partial<Service> = {}): [string, number][] {
  const service: Service = {
    ...{ service: 'shop', release, state: 'running', routes: [], behind: [], rollout: null, instances, ...over },
  }
  const html = renderToString(
    <ServiceRow {...{ overview, service, layout, turns: null }} now={Date.parse('2026-11-29T10:00:00Z')} />,
  )
  return [...html.matchAll(/<t[dh]([^>]*)>(.*?)<\/t[dh]>/g)].map(([, attributes = '', inner = '']) => [
    inner
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
    Number(/colspan="(\d+)"/.exec(attributes)?.[1] ?? 1),
  ])
}

const wide: Layout = { columns: ['state', 'age', 'inFlight', 'perSecond', 'errors'], isDense: false }

it('fills the columns with numbers where they say something, else with words', () => {
  const failed = instance('b', { state: 'failed', reason: 'exited with status 1', restarts: 1 })
  expect(cells(wide, [instance('a'), failed])).toEqual([
    ['shop', 1],
    ...(['ready aaaaaaa', '60 min', '3', '7', '2'] as const).map((text): [string, number] => [text, 1]),
    ['failed aaaaaaa exited with status 1, restarted once last lines', 5],
  ])
  const two = cells(wide, [instance('b'), instance('b', { id: 'shop-1-b-2', state: 'draining' })])
  expect(two.at(-1)).toEqual(['ready aaaaaaa 4 req/s draining aaaaaaa work not recorded', 5])
})

it('says the release once a row where machines are many, and in a cell only of one that is behind', () => {
  const dense: Layout = { columns: ['state', 'perSecond'], isDense: true }
  const behind = instance('b', { release: 'b'.repeat(64), id: 'shop-0-b-1' })
  expect(cells(dense, [instance('a'), behind], { behind: ['b'] })).toEqual([
    ['shop', 1],
    ['aaaaaaa', 1],
    ['ready', 1],
    ['7', 1],
    ['behind bbbbbbb', 2],
  ])
})
