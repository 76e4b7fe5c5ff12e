import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RowTurns } from './rowTurns.ts'

let frames: (() => void)[]
const nextFrame = (): void => {
  for (const frame of frames.splice(0)) frame()
}

beforeEach(() => {
  frames = []
  vi.stubGlobal('requestAnimationFrame', (fire: () => void) => frames.push(fire))
  vi.stubGlobal('cancelAnimationFrame', () => (frames = []))
})
afterEach(() => void vi.unstubAllGlobals())

it('lets a tenth of the rows change in each frame, until all have', () => {
  const waiting = new Set(Array.from({ length: 45 }, (_, row) => row))
  const inFrame: number[] = []
  const draw = (): void => {
    const before = waiting.size
    for (const row of waiting) if (turns.take()) waiting.delete(row)
    inFrame.push(before - waiting.size)
  }
  const turns = new RowTurns(draw)
  turns.rows = 45
  nextFrame()
  draw()
  while (frames.length > 0) nextFrame()
  expect(waiting.size).toBe(0)
  expect(Math.max(...inFrame)).toBe(5)
  expect(inFrame.length).toBeLessThanOrEqual(10)
})

it('draws the table again only where a row waits, and not after its end', () => {
  const again = vi.fn<() => void>()
  const turns = new RowTurns(again)
  turns.rows = 20
  expect(turns.take()).toBe(true)
  nextFrame()
  expect(again).not.toHaveBeenCalled()
  expect([turns.take(), turns.take(), turns.take()]).toEqual([true, true, false])
  turns.stop()
  nextFrame()
  expect(again).not.toHaveBeenCalled()
})
