import { expect, it } from 'vitest'
import { KeyedQueue } from './keyedQueue.ts'

it('runs work with the same key one after the other, also after a failure, and other work at once', async () => {
  const queue = new KeyedQueue()
  const gate = Promise.withResolvers<void>()
  const done: string[] = []
  const first = queue.run('a', async () => {
    await gate.promise
    done.push('first')
    throw new Error('broken')
  })
  const second = queue.run('a', async () => void done.push('second'))
  await queue.run('b', async () => void done.push('other'))
  expect(done).toEqual(['other'])
  gate.resolve()
  await expect(first).rejects.toThrow('broken')
  await second
  expect(done).toEqual(['other', 'first', 'second'])
})
