import { existsSync } from 'node:fs'
import { z } from 'zod'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import type { Operations } from './operation.ts'
import type { RootFolder } from './rootFolder.ts'

const argumentChars = 200

/** Looks up an operation, checks its arguments, and runs it in order. */
export function performer(
  operations: Operations,
  folder: RootFolder,
): (name: string, args: unknown) => Promise<unknown> {
  const table = new Map(Object.entries(operations))
  const queue = new KeyedQueue()
  return async (name, args) => {
    const found = table.get(name)
    if (!found) throw new Error(`unknown operation ${JSON.stringify(name.slice(0, argumentChars))}`)
    if (!existsSync(folder.path)) throw new Error(`${folder.path} does not exist`)
    folder.check()
    const checked = found.shape.safeParse(args)
    if (!checked.success)
      throw new Error(`invalid arguments of ${name}: ${z.prettifyError(checked.error).slice(0, 1_000)}`)
    const given = checked.data as never // has the type that `run` takes: see `operation`
    const turn = found.turn(given)
    return turn === null ? found.run(given) : queue.run(turn, () => found.run(given))
  }
}
