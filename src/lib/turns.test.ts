import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('runs work with the same key one after the other, also after a failure, and other work at once', async () => {
  const turns = new Turns()
  const gate = Promise.withResolvers<void>()
  const done: string[] = []
  const first = turns.take('a', async () => {
    await gate.promise
    done.push('first')
    throw new Error('broken')
  })
  const second = turns.take('a', async () => void done.push('second'))
  await turns.take('b', async () => void done.push('other'))
  expect(done).toEqual(['other'])
  gate.resolve()
  await expect(first).rejects.toThrow('broken')
  await second
  expect(done).toEqual(['other', 'first', 'second'])
})
