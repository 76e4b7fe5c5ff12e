import { expect, it } from 'vitest'
import { everyEventIsFolded, rooms } from './rooms.ts'

it('each key of the state belongs to one room, and each event type to at least one', () => {
  const keys = rooms.flatMap(({ initial }) => Object.keys(initial))
  expect(keys).toEqual([...new Set(keys)])
  expect(new Set(rooms.map(({ name }) => name)).size).toBe(rooms.length)
  expect(everyEventIsFolded).toBe(true)
})
