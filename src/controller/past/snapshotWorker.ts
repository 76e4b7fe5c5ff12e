import { parentPort } from 'node:worker_threads'
import type { Config } from '../../decision/base.ts'
import type { RecordedEvent } from '../../events/event.ts'
import type { Snapshot } from '../../store/snapshots.ts'
import { Fold } from '../fold.ts'

/** The beginning of the worker's work, and then event after event in the order of the log. */
export type ToWorker =
  | { config: Config; from: string | null; due: readonly number[] }
  | { events: readonly RecordedEvent[] }

/** The snapshots that these events made due. */
export interface FromWorker {
  made: Snapshot[]
}

let fold: Fold | null = null
let due: number[] = []

/** Folds a log beside the controller's thread, and makes a snapshot at the first event from each due position on. */
parentPort?.on('message', (message: ToWorker) => {
  const made: Snapshot[] = []
  if ('config' in message) {
    fold = new Fold(message.config, message.from)
    due = [...message.due]
  } else for (const event of message.events) made.push(...folded(event))
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  parentPort?.postMessage({ made } satisfies FromWorker)
})

function folded(event: RecordedEvent): Snapshot[] {
  fold?.fold(event)
  const { position } = event
  if (!fold || (due[0] ?? Number.POSITIVE_INFINITY) > position) return []
  due = due.filter((start) => start > position)
  return [{ position, text: fold.snapshot() }]
}
