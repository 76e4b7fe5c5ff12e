import { clusterShape } from '../definitions/clusterShape.ts'
import { withFallbacks } from '../definitions/shapes/kept.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { EventType, RecordedEvent } from './event.ts'

/** By type, oldest first: the first converts data of version 1 to version 2, and so on. */
export type Upcasters = Partial<Record<string, readonly ((data: unknown) => unknown)[]>>

/** A type's data changes only by a new version and an upcaster. */
const upcasters: Upcasters = {}

/** The version with which events of this type are written now. */
export const versionOf = (type: string, known: Upcasters = upcasters): number => 1 + (known[type]?.length ?? 0)

/**
 * Fills in fields that older events lack: fields added to a type's data later, each with a default that describes the
 * former behaviour. Neighbouring versions of Tandem read the same log, and an older version ignores fields that it does
 * not know.
 */
const completed: Partial<Record<EventType, (data: never) => unknown>> = {
  ClusterApplied: ({ cluster }: { cluster: object }) => ({ cluster: withFallbacks(clusterShape.kept, cluster) }),
}

/** An event as the log keeps it. */
export interface StoredEvent {
  position: number
  at: string
  type: string
  version: number
  /** JSON. */
  data: string
}

/** Reads a stored event and converts old versions to the current one. Refuses a version that only a newer Tandem knows. */
export function fromStored(stored: StoredEvent, known: Upcasters = upcasters): RecordedEvent {
  const { type, version, position, at } = stored
  if (version > versionOf(type, known)) throw writtenByNewer({ type: `${type} (version ${version})`, position })
  let data: unknown = JSON.parse(stored.data)
  for (const upcast of known[type]?.slice(version - 1) ?? []) data = upcast(data)
  const complete = completed[type as EventType] // `undefined` for any other text
  if (complete) data = complete(data as never) // of that type
  return { type, data, position, at } as RecordedEvent // our own log, of a known version; its reader checks the type
}

export const writtenByNewer = ({ type, position }: Pick<StoredEvent, 'type' | 'position'>): OperatorError =>
  new OperatorError(
    'E_LOG_NEWER',
    `the event log contains ${type} at position ${position}, which this version of Tandem does not know`,
    { subject: 'event log', next: 'start the version of Tandem that wrote the log; the log was not changed' },
  )
