import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layout } from './layout.ts'

const edge = (text: string): { from: string; to: string } => {
  const [from = '', to = ''] = text.split('>')
  return { from, to }
}

describe('the layout of the map', () => {
  it('puts callers left of those that they call, and addresses outside at the right end', () => {
    const { places, via } = layout(
      ['db', 'shop', 'web', 'x:443'],
      ['web>shop', 'shop>db', 'web>db', 'web>x:443'].map(edge),
      ['x:443'],
    )
    expect(Object.fromEntries([...places].map(([name, { column }]) => [name, column]))).toEqual({
      web: 0,
      shop: 1,
      db: 2,
      'x:443': 3,
    })
    expect(via(edge('web>shop'))).toEqual([])
    expect(via(edge('web>x:443')).map(({ column }) => column)).toEqual([1, 2])
  })

  it('draws a circle without a loop', () => {
    const { places } = layout(['a', 'b', 'c'], ['a>b', 'b>c', 'c>a'].map(edge), [])
    expect(new Set([...places.values()].map(({ column }) => column)).size).toBe(3)
  })

  it('puts each node at a place of its own, the same again for the same input', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
    const graph = fc.record({
      names: fc.uniqueArray(name, { minLength: 1 }),
      edges: fc.array(fc.record({ from: name, to: name }), { maxLength: 20 }),
    })
    fc.assert(
      fc.property(graph, ({ names, edges }) => {
        const last = names.slice(0, 1)
        const { places, via } = layout(names, edges, last)
        expect([...places.keys()]).toEqual(names)
        const different = [...new Map(edges.map((one) => [`${one.from} ${one.to}`, one])).values()]
        const taken = [...places.values(), ...different.flatMap(via)].map(({ column, row }) => `${column} ${row}`)
        expect(new Set(taken).size).toBe(taken.length)
        expect(layout(names, edges, last).places).toEqual(places)
      }),
    )
  })
})
