import { expect, it } from 'vitest'
import { SeenLines } from './seenLines.ts'

const line = (at: string, text: string) =>
  ({ kind: 'line', at, service: 's', instance: 'i', stream: 'out', text }) as const

it('shows equal lines of one moment as often as they come, and skips only those that are sent again', () => {
  const seen = new SeenLines()
  const add = (...texts: string[]): boolean[] => texts.map((text) => seen.add(line('1', text)))
  expect(add('x', 'x', 'y', 'x')).toEqual([false, false, false, false])
  seen.resume()
  expect(add('x', 'x', 'y', 'x', 'x', 'z')).toEqual([true, true, true, true, false, false])
  seen.resume()
  expect(seen.add(line('2', 'x'))).toBe(false)
  expect(seen.add(line('2', 'x'))).toBe(false)
  expect(seen.newest).toBe('2')
})
