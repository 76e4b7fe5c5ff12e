import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Asks } from './asks.ts'
import type { Controller } from './controller.ts'
import { LastWordsKeeper } from './lastWords/lastWordsKeeper.ts'
import { NumbersKeeper } from './numbers/numbersKeeper.ts'

interface Parts {
  controller: Controller
  logger: Logger
  /** The controller's data. */
  data: string
}

/** Here a feature hangs its own things into those that every call may use. */
export const makeFeatureRooms = ({ data, ...parts }: Parts) => ({
  numbers: new NumbersKeeper(parts),
  lastWords: new LastWordsKeeper({ ...parts, folder: join(data, 'last-words') }),
})

export type FeatureRooms = ReturnType<typeof makeFeatureRooms>

/** Begins their work, once the agents can be asked. */
export function startFeatureRooms({ numbers }: FeatureRooms, asks: Asks): void {
  numbers.start((machine, ask, signal) => asks.ask(machine, ask, signal))
}

export function closeFeatureRooms({ numbers, lastWords }: FeatureRooms): void {
  numbers.close()
  lastWords.close()
}
