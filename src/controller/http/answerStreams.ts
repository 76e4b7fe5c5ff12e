import { Backoff } from '../../lib/backoff.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Answer } from '../../protocol/ask.ts'
import { SeenLines } from '../../lib/seenLines.ts'
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

/** Turns the failure to ask a machine into an error line, so that the lines of the other machines continue. */
export async function* unreachableSaid(answers: AsyncIterable<Answer>, machine: string): AsyncIterable<Answer> {
  try {
    yield* answers
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    yield { kind: 'error', code: error.code, message: `${machine}: ${error.message}` }
  }
}

/**
 * Yields a machine's lines for as long as a reader follows. When the machine becomes unreachable, yields that error
 * once and asks the machine again, from its newest line on, until the machine is back.
 */
export async function* askedAgain(
  first: AsyncIterable<Answer>,
  again: (newest: string | null) => AsyncIterable<Answer>,
  signal: AbortSignal,
  clock: Clock,
  againMs = { firstMs: 1_000, mostMs: 30_000 },
): AsyncIterable<Answer> {
  const seen = new SeenLines()
  const backoff = new Backoff(againMs, Math.random)
  let said = ''
  for (let answers = first; !signal.aborted; answers = again(seen.newest)) {
    for await (const answer of answers) {
      const isRepeated = answer.kind === 'line' ? seen.add(answer) : answer.kind === 'error' && answer.message === said
      if (answer.kind === 'line' && !isRepeated) backoff.reset()
      if (!isRepeated) yield answer
      if (answer.kind !== 'end') said = answer.kind === 'error' ? answer.message : ''
    }
    // The machine may be unreachable, or its output of the instance may have ended for good.
    await sleep(clock, backoff.next(), signal)
    seen.resume()
  }
}

type Line = Extract<Answer, { kind: 'line' }>

/**
 * Merges several finite answers in the order of their lines' time, holding one line of each. With `last`, yields only
 * the newest lines. Errors are yielded as they arrive.
 */
export async function* inOrderOfTime(answers: AsyncIterable<Answer>[], last: number | null): AsyncIterable<Answer> {
  if (last === null) return yield* merged(answers)
  let lines: Line[] = []
  for await (const answer of merged(answers)) {
    if (answer.kind !== 'line') yield answer
    else lines.push(answer)
    // Each machine sends at most `last` lines; only the newest of all are kept, cut in batches.
    if (lines.length > 2 * last) lines = lines.slice(-last)
  }
  yield* lines.slice(-last)
}

async function* merged(answers: AsyncIterable<Answer>[]): AsyncIterable<Answer> {
  const iterators = answers.map((one) => one[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()))
    for (;;) {
      const index = firstToGive(heads)
      const [head, iterator] = [heads[index], iterators[index]]
      if (!head || head.done || !iterator) return
      if (head.value.kind === 'line' || head.value.kind === 'error') yield head.value
      heads[index] = await iterator.next()
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()))
  }
}

/**
 * Index of the next item to yield: an item that is no line comes first, then the oldest line; -1 when all have ended.
 */
function firstToGive(heads: IteratorResult<Answer>[]): number {
  let oldest = -1
  let at = ''
  for (const [index, head] of heads.entries()) {
    if (head.done) continue
    if (head.value.kind !== 'line') return index
    if (oldest < 0 || head.value.at < at) [oldest, at] = [index, head.value.at]
  }
  return oldest
}

/** Yields several endless answers as they arrive; at most one item of each is in flight. */
export async function* asTheyCome(answers: AsyncIterable<Answer>[]): AsyncIterable<Answer> {
  const iterators = answers.map((one) => one[Symbol.asyncIterator]())
  const arrived: Step[] = []
  let wake = Promise.withResolvers<void>()
  // Not `Promise.race` over all: each line of a busy answer would leave a reaction behind on the promise of a quiet
  // one.
  const pull = async (iterator: AsyncIterator<Answer>): Promise<void> => {
    arrived.push(await stepOf(iterator))
    wake.resolve()
  }
  let open = iterators.length
  for (const iterator of iterators) void pull(iterator)
  try {
    while (open > 0) {
      const step = arrived.shift()
      if (!step) {
        await wake.promise
        wake = Promise.withResolvers()
      } else if ('error' in step) throw step.error
      else if (step.result.done) open--
      else {
        if (step.result.value.kind !== 'end') yield step.result.value
        void pull(step.iterator)
      }
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()))
  }
}

type Step = { iterator: AsyncIterator<Answer>; result: IteratorResult<Answer> } | { error: unknown }

async function stepOf(iterator: AsyncIterator<Answer>): Promise<Step> {
  try {
    return { iterator, result: await iterator.next() }
  } catch (error) {
    return { error }
  }
}
