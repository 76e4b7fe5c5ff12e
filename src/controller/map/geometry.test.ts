import { expect, it } from 'vitest'
import { boxOf, pathOf, sizeOf } from './geometry.ts'

const at = (column: number, row: number) => ({ column, row })

it('draws an edge from the right side of the caller, through the places between, to an arrow before the other', () => {
  const [start, between, end] = [at(0, 0), at(1, 1), at(2, 0)] as const
  const path = pathOf(start, [between], end)
  const [from, via, to] = [boxOf(start), boxOf(between), boxOf(end)]
  expect(path.startsWith(`M${from.x + from.width} ${from.y + from.height / 2}C`)).toBe(true)
  expect(path).toContain(` ${via.x} ${via.y + via.height / 2}H${via.x + via.width}C`)
  expect(path.endsWith(` ${to.x - 6} ${to.y + to.height / 2}`)).toBe(true)
})

it('is as large as its boxes, which do not touch', () => {
  const [one, below, right] = [boxOf(at(0, 0)), boxOf(at(0, 1)), boxOf(at(1, 0))]
  expect(below.y).toBeGreaterThan(one.y + one.height)
  expect(right.x).toBeGreaterThan(one.x + one.width)
  expect(sizeOf([at(0, 0), at(1, 1)])).toEqual({
    width: right.x + right.width + one.x,
    height: below.y + below.height + one.y,
  })
})
