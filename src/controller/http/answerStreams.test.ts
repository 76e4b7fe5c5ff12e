import { expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import type { Answer } from '../../protocol/ask.ts'
import { askedAgain, asTheyCome, inOrderOfTime } from './answerStreams.ts'

const line = (at: number): Answer => ({
  ...{ kind: 'line', service: 'shop', instance: 'x', stream: 'out', text: '' },
  at: String(at).padStart(6, '0'),
})
const times = (answers: Answer[]): unknown[] =>
  answers.map((answer) => (answer.kind === 'line' ? Number(answer.at) : answer.kind))
async function* given(...answers: Answer[]): AsyncIterable<Answer> {
  yield* answers
}
const end: Answer = { kind: 'end' }
const error: Answer = { kind: 'error', code: 'E_MACHINE_UNREACHABLE', message: 'gone' }

it('puts the lines of several machines in order of time', async () => {
  const all = inOrderOfTime([given(line(1), line(4), end), given(line(2), line(3), end), given(error)], null)
  expect(times(await Array.fromAsync(all))).toEqual(['error', 1, 2, 3, 4])
})

it('gives only the newest lines of all machines', async () => {
  const numbers = (from: number): Answer[] => Array.from({ length: 50 }, (_, index) => line(from + 2 * index))
  const all = inOrderOfTime([given(...numbers(0)), given(...numbers(1)), given(error)], 3)
  expect(times(await Array.fromAsync(all))).toEqual(['error', 97, 98, 99])
})

it('holds no more than one line of each answer while it merges', async () => {
  let made = 0
  async function* many(): AsyncIterable<Answer> {
    for (let at = 0; at < 10_000; at++) {
      made++
      yield line(at)
    }
  }
  const iterator = inOrderOfTime([many(), many()], null)[Symbol.asyncIterator]()
  for (let i = 0; i < 10; i++) await iterator.next()
  expect(made).toBeLessThan(15)
  await iterator.return?.()
})

it('gives endless answers as they arrive; a quiet answer does not delay the others', async () => {
  const quiet = Promise.withResolvers<void>()
  let isOver = false
  async function* silent(): AsyncIterable<Answer> {
    try {
      await quiet.promise
      yield line(999)
    } finally {
      isOver = true
    }
  }
  const all = asTheyCome([silent(), given(line(1), line(2), end)])[Symbol.asyncIterator]()
  expect(times([(await all.next()).value, (await all.next()).value])).toEqual([1, 2])
  quiet.resolve()
  expect(times([(await all.next()).value])).toEqual([999])
  expect((await all.next()).done).toBe(true)
  expect(isOver).toBe(true)
})

it('fails when one of them fails', async () => {
  async function* broken(): AsyncIterable<Answer> {
    yield line(1)
    throw new Error('broken')
  }
  await expect(Array.fromAsync(asTheyCome([broken(), given(line(2))]))).rejects.toThrow('broken')
})

it('asks a machine that became unreachable again, from its newest line on, and repeats nothing', async () => {
  const gone = new AbortController()
  const asked: (string | null)[] = []
  const later = [[error], [error], [line(2), line(3), end], [error]]
  const again = (newest: string | null): AsyncIterable<Answer> => {
    asked.push(newest)
    const answers = later.shift()
    if (!answers) gone.abort()
    return given(...(answers ?? []))
  }
  const all = await Array.fromAsync(
    askedAgain(given(line(1), line(2), error), again, gone.signal, systemClock, { firstMs: 1, mostMs: 1 }),
  )
  expect(times(all)).toEqual([1, 2, 'error', 3, 'end', 'error'])
  expect(asked).toEqual(['000002', '000002', '000002', '000003', '000003'])
})
