import { describe, expect, it } from 'vitest'
import { onOneAxis, rangeIn, rowsOf, sentenceOf, zoomed, type Series } from './chartData.ts'

const at = (second: number): number => Date.parse('2026-11-29T14:02:00Z') + second * 1_000
const one: Series = { name: 'b4bddc5', tone: 'new', at: [at(0), at(2), at(4)], values: [1, null, 7] }
const two: Series = { name: 'fe97886', tone: 'old', at: [at(1), at(2)], values: [40, 42] }
const range = { from: at(0), to: at(10) }

describe('series of a chart', () => {
  it('share one column of times: a missing time is no gap', () => {
    expect(onOneAxis([one, two])).toEqual({
      at: [at(0), at(1), at(2), at(4)],
      columns: [
        [1, undefined, null, 7],
        [undefined, 40, 42, undefined],
      ],
    })
    expect(onOneAxis([])).toEqual({ at: [], columns: [] })
  })

  it('are a sentence', () => {
    expect(sentenceOf('Requests/s', [one, two], range)).toBe(
      'Requests/s from 14:02:00 to 14:02:10 UTC: b4bddc5 last 7, between 1 and 7; fe97886 last 42, between 40 and 42.',
    )
    expect(sentenceOf('Errors/s', [{ ...one, values: [null, null, null] }], range)).toContain('b4bddc5 is not known.')
    expect(sentenceOf('Errors/s', [], range)).toContain('nothing is known.')
  })

  it('are a table, newest first, of the range that is shown', () => {
    expect(
      rowsOf([one, two], { from: at(1), to: at(4) }).map(({ at: time, values }) => [time - at(0), values]),
    ).toEqual([
      [4_000, [7, null]],
      [2_000, [null, 42]],
      [1_000, [null, 40]],
    ])
    const long = Array.from({ length: 1_000 }, (_, index) => at(index))
    const rows = rowsOf([{ ...one, at: long, values: long.map(() => 1) }], { from: at(0), to: at(1_000) })
    expect(rows.length).toBeLessThanOrEqual(120)
    expect(rows[0]?.at).toBe(at(999))
  })
})

describe('the range of a chart', () => {
  it('is in the address, else the newest', () => {
    const asked = new URLSearchParams({ from: new Date(at(0)).toISOString(), to: new Date(at(60)).toISOString() })
    expect(rangeIn(asked, at(900), 900_000)).toEqual({ from: at(0), to: at(60), isAsked: true })
    for (const wrong of [
      '',
      'from=x&to=y',
      'from=2026-11-29T14:02:00Z',
      'from=2026-11-29T14:02:00Z&to=2026-11-29T14:00:00Z',
    ]) {
      expect(rangeIn(new URLSearchParams(wrong), at(900), 900_000)).toEqual({
        from: at(0),
        to: at(900),
        isAsked: false,
      })
    }
  })

  it('is looked at closer and from further away around a moment, which keeps its place', () => {
    expect(zoomed({ from: 0, to: 100_000 }, 25_000, 0.5)).toEqual({ from: 12_500, to: 62_500 })
    expect(zoomed({ from: 12_500, to: 62_500 }, 25_000, 2)).toEqual({ from: 0, to: 100_000 })
    const { from, to } = zoomed({ from: 0, to: 5_000 }, 0, 0.1)
    expect(to - from).toBe(4_000)
  })
})
