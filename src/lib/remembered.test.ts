import { expect, it, vi } from 'vitest'
import { remembered } from './remembered.ts'

it('works once for each object, also where the result is undefined, and again for another object', () => {
  const work = vi.fn<(of: { a?: number }) => number | undefined>(({ a }) => a)
  const asked = remembered(work)
  const [one, same, none] = [{ a: 1 }, { a: 1 }, {}]
  expect([asked(one), asked(one), asked(same), asked(none), asked(none)]).toEqual([1, 1, 1, undefined, undefined])
  expect(work.mock.calls).toEqual([[one], [same], [none]])
})
