import { z } from 'zod'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import type { Operations } from './operation.ts'

const argumentChars = 200

/** Looks up an operation, checks its arguments, and runs it in order. `check` throws if the helper's own folder is not right. */
export function performer(
  operations: Operations,
  check: () => void,
): (name: string, args: unknown) => Promise<unknown> {
  const table = new Map(Object.entries(operations))
  const queue = new KeyedQueue()
  return async (name, args) => {
    const found = table.get(name)
    if (!found) throw new Error(`unknown operation ${JSON.stringify(name.slice(0, argumentChars))}`)
    check()
    const checked = found.shape.safeParse(args)
    if (!checked.success)
      throw new Error(`invalid arguments of ${name}: ${z.prettifyError(checked.error).slice(0, 1_000)}`)
    const given = checked.data as never // has the type that `run` takes: see `operation`
    const turn = found.turn(given)
    return turn === null ? found.run(given) : queue.run(turn, () => found.run(given))
  }
}
