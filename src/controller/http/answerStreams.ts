import { OperatorError } from '../../lib/operatorError.ts'
import type { Answer } from '../../protocol/ask.ts'
import type { EventStream } from './eventStream.ts'

export async function pipeAnswers(answers: AsyncIterable<Answer>, stream: EventStream): Promise<void> {
  try {
    for await (const answer of answers) {
      stream.write({ data: JSON.stringify(answer) })
      await stream.room()
    }
  } finally {
    stream.end()
  }
}

/** A machine that cannot be asked is a line among the others' lines, not the end of them. */
export async function* unreachableSaid(answers: AsyncIterable<Answer>, machine: string): AsyncIterable<Answer> {
  try {
    yield* answers
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    yield { kind: 'error', code: error.code, message: `${machine}: ${error.message}` }
  }
}

/** All of several finite answers, lines by time; with `last`, only so many of them. */
export async function* inOrderOfTime(answers: AsyncIterable<Answer>[], last: number | null): AsyncIterable<Answer> {
  const all = (await Promise.all(answers.map((one) => Array.fromAsync(one)))).flat()
  const lines = all.flatMap((answer) => (answer.kind === 'line' ? [answer] : []))
  lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  yield* all.filter((answer) => answer.kind === 'error')
  yield* last === null ? lines : lines.slice(-last)
}

/** Several endless answers as they come. */
export async function* asTheyCome(answers: AsyncIterable<Answer>[]): AsyncIterable<Answer> {
  const iterators = answers.map((one) => one[Symbol.asyncIterator]())
  const step = async (iterator: AsyncIterator<Answer>): Promise<Step> => ({ iterator, result: await iterator.next() })
  const pending = new Map(iterators.map((iterator) => [iterator, step(iterator)]))
  try {
    while (pending.size > 0) {
      const { iterator, result } = await Promise.race(pending.values())
      if (result.done) pending.delete(iterator)
      else {
        pending.set(iterator, step(iterator))
        if (result.value.kind !== 'end') yield result.value
      }
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()))
  }
}

interface Step {
  iterator: AsyncIterator<Answer>
  result: IteratorResult<Answer>
}
