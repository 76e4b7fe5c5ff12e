import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import type { TailItem } from '../../src/api/tails.ts'
import { LogModel, matching, type Row } from './logModel.ts'
import { RowLayout } from './rowLayout.ts'

const time = (second: number): string => new Date(Date.UTC(2026, 10, 29, 14) + second * 1_000).toISOString()
const line = (second: number, text: string, machine = 'a', stream: 'out' | 'tandem' = 'out'): TailItem => ({
  ...{ kind: 'line', at: time(second), machine, instance: `shop-${machine}`, stream, text },
})
const texts = (rows: readonly Row[]): string[] => rows.map((row) => (row.kind === 'line' ? row.text : row.kind))

describe('the lines of a page', () => {
  it('are in the order of their time, also if those of one machine come late', () => {
    const model = new LogModel()
    model.add([line(1, 'one'), line(3, 'three')])
    model.add([line(3, 'three again'), line(2, 'two', 'b'), line(4, 'four')])
    expect(texts(model.rows)).toEqual(['one', 'two', 'three', 'three again', 'four'])
    expect([...model.counts]).toEqual([
      ['shop-a', { machine: 'a', lines: 4 }],
      ['shop-b', { machine: 'b', lines: 1 }],
    ])
  })

  it('have a gap while a machine is cut off, and say when it ended', () => {
    const model = new LogModel()
    model.add([line(1, 'one'), { kind: 'cut', at: time(2), machine: 'b', code: 'E_MACHINE_UNREACHABLE', text: 'gone' }])
    expect(model.rows.at(-1)).toMatchObject({ kind: 'gap', machine: 'b', at: time(2), until: null, text: 'gone' })
    model.add([line(5, 'five')])
    model.add([{ kind: 'open', at: time(9), machine: 'b' }, line(3, 'late', 'b')])
    expect(texts(model.rows)).toEqual(['one', 'gap', 'late', 'five'])
    expect(model.rows[1]).toMatchObject({ until: time(9) })
  })

  it('show where lines were lost', () => {
    const model = new LogModel()
    const lost = '7 lines were dropped here: the disk was slower than the output for more than 5 s'
    model.add([line(1, lost), line(2, lost, 'a', 'tandem'), line(3, 'started', 'a', 'tandem')])
    expect(model.rows.map(({ kind }) => kind)).toEqual(['line', 'lost', 'line'])
  })

  it('are the newest when there are too many, and the count of the others is known', () => {
    const model = new LogModel(3)
    model.add([line(1, '1'), line(2, '2')])
    expect(model.isFull).toBe(false)
    model.add([line(3, '3'), line(4, '4'), line(5, '5')])
    expect([texts(model.rows), model.dropped, model.isFull]).toEqual([['3', '4', '5'], 2, true])
  })

  it('are found by a text in any case, which is no pattern; gaps stay', () => {
    const model = new LogModel()
    model.add([line(1, 'GET /a?b=1 (ok)'), line(2, 'get /A?B=1 [ok]'), line(3, 'other')])
    model.add([{ kind: 'cut', at: time(4), machine: 'b', code: 'E', text: 'gone' }])
    expect(texts(matching(model.rows, '/a?b=1 (OK)'))).toEqual(['GET /a?b=1 (ok)', 'gap'])
    expect(matching(model.rows, '')).toBe(model.rows)
  })

  it('are found again by their place, whatever came before them', () => {
    const random = seededRandom(7)
    const model = new LogModel(1_000)
    for (let round = 0; round < 50; round++) {
      const batch = Array.from({ length: 40 }, () =>
        line(Math.floor(random() * 500), String(random()), 'ab'[round % 2]),
      )
      model.add(batch)
      const sorted = model.rows.map(({ at }) => at)
      expect(sorted).toEqual(sorted.toSorted())
      const index = Math.floor(random() * model.rows.length)
      expect(model.indexOf(model.rows[index] as Row)).toBe(index) // within the list
    }
    expect([model.rows.length, model.dropped]).toEqual([1_000, 1_000])
  })
})

describe('the layout of rows', () => {
  it('finds the top of each row and the row at each place, with a few higher rows', () => {
    const random = seededRandom(3)
    const higher = [...new Set(Array.from({ length: 20 }, () => Math.floor(random() * 300)))].toSorted((a, b) => a - b)
    const layout = new RowLayout(
      300,
      20,
      higher.map((index) => [index, 13] as const),
    )
    let top = 0
    for (let index = 0; index < 300; index++) {
      const height = 20 + (higher.includes(index) ? 13 : 0)
      expect([layout.topOf(index), layout.indexAt(top), layout.indexAt(top + height - 1)]).toEqual([top, index, index])
      top += height
    }
    expect([layout.height, layout.indexAt(top + 1_000), new RowLayout(0, 20).indexAt(50)]).toEqual([top, 299, 0])
  })
})
