import { expect, it } from 'vitest'
import { Ring } from './ring.ts'

const pointsOf = (ring: Ring, after = -Infinity): number[][] =>
  [...ring.after(after)].map(({ at, values }) => [at, ...values])

it('keeps points for their time, oldest first, and grows as needed', () => {
  const ring = new Ring({ width: 2, keptMs: 1_000, mostPoints: 500 })
  const small = ring.bytes
  for (let at = 0; at < 5_000; at += 10) ring.push(at, [at, -at])
  expect(pointsOf(ring)).toHaveLength(101)
  expect(pointsOf(ring, 4_970)).toEqual([
    [4_980, 4_980, -4_980],
    [4_990, 4_990, -4_990],
  ])
  expect(ring.newest).toBe(4_990)
  expect(ring.sumAfter(4_970)).toEqual([9_970, -9_970])
  expect(ring.bytes).toBe(small * 2)
})

it('begins again when the clock was set back', () => {
  const ring = new Ring({ width: 1, keptMs: 1_000, mostPoints: 10 })
  for (const at of [5_000, 5_100, 4_000, 4_100]) ring.push(at, [at])
  expect(pointsOf(ring)).toEqual([
    [4_000, 4_000],
    [4_100, 4_100],
  ])
})

it('drops the oldest beyond its most points, and never grows further', () => {
  const ring = new Ring({ width: 1, keptMs: Infinity, mostPoints: 200 })
  for (let at = 0; at < 1_000; at += 1) ring.push(at, [at])
  expect(pointsOf(ring)[0]).toEqual([800, 800])
  expect(ring.bytes).toBe(200 * 12)
  ring.dropBefore(5_000)
  expect([pointsOf(ring), ring.newest]).toEqual([[], null])
})
