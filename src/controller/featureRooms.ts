import { join } from 'node:path'
import type { Logger } from 'pino'
import { Accesses } from './access/accesses.ts'
import type { Asks } from './asks.ts'
import type { Channels } from './channels.ts'
import { ChecksKeeper } from './checks/checksKeeper.ts'
import type { Controller } from './controller.ts'
import { askCheckup } from './http/checkups.ts'
import { CallCounter } from './firewall/callCounter.ts'
import type { Checkup } from '../protocol/checkup.ts'
import { LastWordsKeeper } from './lastWords/lastWordsKeeper.ts'
import { NumbersKeeper } from './numbers/numbersKeeper.ts'
import { pastOf } from './past/past.ts'
import { Tails } from './tails/tails.ts'
import type { Snapshots } from '../store/snapshots.ts'
import { RolloutRecorder } from './numbers/rolloutRecorder.ts'

interface Parts {
  controller: Controller
  logger: Logger
  /** The controller's data. */
  data: string
  snapshots: Snapshots | null
}

/** Here a feature hangs its own things into those that every call may use. */
export const makeFeatureRooms = ({ data, snapshots, ...parts }: Parts) => ({
  numbers: new NumbersKeeper(parts),
  rolloutRecords: new RolloutRecorder({ ...parts, folder: join(data, 'rollout-numbers') }),
  lastWords: new LastWordsKeeper({ ...parts, folder: join(data, 'last-words') }),
  tails: new Tails(parts),
  checks: new ChecksKeeper(parts),
  calls: new CallCounter({ ...parts, folder: join(data, 'calls') }),
  past: pastOf({ ...parts, snapshots }),
  accesses: new Accesses(parts),
})

export type FeatureRooms = ReturnType<typeof makeFeatureRooms>

/** Begins their work, once the agents can be asked. */
export function startFeatureRooms(
  { numbers, rolloutRecords, past, tails, checks, accesses }: FeatureRooms,
  controller: Controller,
  { asks, channels }: { asks: Asks; channels: Channels },
  own: () => Promise<Checkup>,
): void {
  checks.start({ own, ofMachine: (machine, signal) => askCheckup(controller, asks, machine, signal) })
  tails.start(asks)
  accesses.start({ asks, channels })
  past.start()
  numbers.onSample((sample, before) => rolloutRecords.take(sample, before))
  numbers.start((machine, ask, signal) => asks.ask(machine, ask, signal))
}

export async function closeFeatureRooms({ numbers, lastWords, past, checks, calls }: FeatureRooms): Promise<void> {
  checks.close()
  numbers.close()
  lastWords.close()
  calls.close()
  await past.close()
}
