import { expect, it } from 'vitest'
import type { NumbersSeries } from '../../../src/api/numbers.ts'
import { grid, newest, niceMost, summed, valueAt } from './columns.ts'
import { rangeIn, rangeQuery, relative, ticks, zoomed } from './range.ts'
import { joined, knownUntil } from './seriesModel.ts'

const t = (s: number): number => Date.parse('2026-11-29T14:00:00.000Z') + s * 1_000
const whole = { from: t(0), to: t(120) }

it('a span comes back from the address, and never leaves the whole', () => {
  const back = (from: number, to: number) => {
    const query = rangeQuery({ from: t(from), to: t(to) })
    return rangeIn(new URLSearchParams({ from: query.from ?? '', to: query.to ?? '' }), whole)
  }
  expect(back(10, 50)).toEqual({ from: t(10), to: t(50) })
  expect(back(-40, 50)).toEqual({ from: t(0), to: t(50) })
  expect([back(-40, 400), back(10, 11), back(300, 400)]).toEqual([null, null, null])
  expect(rangeIn(new URLSearchParams('from=yesterday&to=now'), whole)).toBeNull()
})

it('zooms in around a time, which keeps its place, and out to all', () => {
  const near = zoomed(whole, t(30), 0.5, whole)
  expect(near).toEqual({ from: t(15), to: t(75) })
  expect(zoomed(near ?? whole, t(30), 2, whole)).toBeNull()
})

it('labels an axis from its zero or by the time of the day, and leaves room for other labels', () => {
  const texts = (zero: number | null, avoid: { from: number; to: number }[] = []) =>
    ticks(whole, { width: 700, zero, avoid }).map(({ text }) => text)
  expect(texts(t(15))).toEqual(['14:00:15', '+15 s', '+30 s', '+45 s', '+60 s', '+75 s', '+90 s'])
  expect(texts(null, [{ from: 330, to: 380 }])).toEqual([
    '14:00:15',
    '14:00:30',
    '14:00:45',
    '14:01:15',
    '14:01:30',
    '14:01:45',
  ])
  expect([relative(t(135), t(15)), relative(t(0), t(15))]).toEqual(['+2 min', '−15 s'])
})

it('sums what is known in each interval: means of parts, gaps as gaps', () => {
  const times = grid({ from: t(0), to: t(8) }, 4)
  expect(times).toEqual({ at: [t(0), t(2), t(4), t(6), t(8)], stepMs: 2_000 })
  const two = { at: [t(2), t(4), t(6)], values: [10, 20, 30] }
  // Its value holds for all of its ten seconds.
  const ten = { at: [t(-4), t(6)], values: [1, 5] }
  expect(summed([two, ten], times)).toEqual([5, 15, 25, 35, null])
  const late = { at: [t(5), t(7)], values: [4, 8] }
  expect(summed([late], times)).toEqual([null, null, 4, 6, 8])
  expect(summed([], times)).toEqual([null, null, null, null, null])
  // A machine was silent for a minute: only the ten seconds before its next point are known.
  const silent = { at: [t(-60), t(8)], values: [1, 3] }
  expect(summed([silent], grid({ from: t(-30), to: t(8) }, 4)).map((value) => value === null)).toEqual(
    expect.arrayContaining([true, false]),
  )
})

it('keeps the total of a rate, whatever the intervals', () => {
  const column = { at: [3, 5, 7.5, 11, 14].map(t), values: [10, 40, 0, 7, 100] }
  const times = grid({ from: t(2), to: t(14) }, 100)
  const sums = summed([column], times).map((value) => (value ?? 0) * 2)
  const exact = 10 * 1 + 40 * 2 + 0 * 2.5 + 7 * 3.5 + 100 * 3
  expect(sums.slice(1).reduce((all, one) => all + one, 0)).toBeCloseTo(exact, 6)
})

it('reads values at a time, and scales to round numbers', () => {
  const values = [1, null, 3]
  const at = [t(2), t(4), t(6)]
  expect([valueAt(values, at, t(1.5)), valueAt(values, at, t(3)), valueAt(values, at, t(7))]).toEqual([1, null, null])
  expect([newest(values), newest([null])]).toEqual([3, null])
  expect([niceMost([418, null], 4), niceMost([], 4), niceMost([0.3], 0.1), niceMost([1_000], 4)]).toEqual([
    500, 4, 0.4, 1_000,
  ])
})

const series = (points: Record<string, number[]>): NumbersSeries => ({
  ...{ service: 'shop', balancers: [], machines: [] },
  instances: Object.entries(points).map(([machine, seconds]) => ({
    ...{ instance: `shop-1-${machine}-1`, machine, at: seconds.map(t), inFlight: seconds.map(() => 1) },
    ...{ perSecond: [...seconds], errorsPerSecond: seconds.map(() => 0) },
  })),
})

it('joins new points to known ones: none twice, none lost of a machine that is behind, old ones dropped', () => {
  const known = series({ a: [2, 4, 6], b: [3, 5] })
  expect(knownUntil(known)).toBe(t(5))
  const all = joined(known, series({ a: [6, 8], b: [7], c: [8] }))
  const seconds = (one: NumbersSeries) =>
    Object.fromEntries(one.instances.map((each) => [each.machine, each.perSecond]))
  expect(seconds(all)).toEqual({ a: [2, 4, 6, 8], b: [3, 5, 7], c: [8] })
  expect(seconds(joined(all, series({ a: [904] })))).toEqual({ a: [4, 6, 8, 904], b: [5, 7], c: [8] })
  expect(joined(known, { ...series({}), service: 'site' }).service).toBe('site')
  expect([knownUntil(series({})), knownUntil(series({ a: [2, 100], b: [5] }))]).toEqual([null, t(100)])
})
