import { expect, it } from 'vitest'
import { BaseMismatch, following } from './following.ts'

const none = { set: {}, lists: {}, records: {}, gone: [] }

it('changes only the parts that the difference names, and shares all others', () => {
  const before = { list: [{ id: 1 }, { id: 2 }], record: { a: 1, b: 2 }, plain: 1, maybe: 'x', other: {} }
  const now = following(before, {
    set: { plain: 2 },
    lists: { list: [{ item: { id: 3 } }, [1, 2]] },
    records: { record: { set: { c: 3 }, gone: ['a'] } },
    gone: ['maybe'],
  })
  expect(now).toEqual({ list: [{ id: 3 }, { id: 2 }], record: { b: 2, c: 3 }, plain: 2, other: {} })
  expect((now['list'] as unknown[])[1]).toBe(before.list[1])
  expect(now['other']).toBe(before.other)
})

it('is refused when the difference builds upon another message, or uses a part of a list twice', () => {
  const refused = (before: object, more: Partial<typeof none> & object): void =>
    expect(() => following(before, { ...none, ...more })).toThrow(BaseMismatch)
  refused({ list: [1] }, { lists: { list: [[0, 2]] } })
  refused(
    { list: [1] },
    {
      lists: {
        list: [
          [0, 1],
          [0, 1],
        ],
      },
    },
  )
  refused({}, { lists: { list: [] } })
  refused({ record: null }, { records: { record: { set: {}, gone: [] } } })
  expect(following({ list: [1] }, { ...none, lists: { list: [[0, 1]] } })).toEqual({ list: [1] })
})
