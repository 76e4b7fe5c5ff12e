import { usualAdvertMs } from '../definitions/bounds.ts'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { eventVersions, type EventType, type RecordedEvent } from './event.ts'

/** Converts data of `version` to `version + 1`; keyed `Type/version`. */
export type Upcasters = Record<string, (data: unknown) => unknown>

const upcasters: Upcasters = {}

/**
 * Fills in fields that older events lack: fields added to a type's data later, each with a default that describes the
 * former behaviour. Neighbouring versions of Tandem read the same log, and an older version ignores fields that it does
 * not know.
 */
const completed: Partial<Record<EventType, (data: never) => unknown>> = {
  ClusterApplied: ({ cluster }: { cluster: Partial<ClusterDefinition> }) => ({
    cluster: { advert: usualAdvertMs, ...cluster, entry: { trustedProxies: [], ...cluster.entry } },
  }),
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

/** Reads a stored event and converts old versions to the current one. Refuses events that a newer Tandem wrote. */
export function fromStored(stored: StoredEvent, known: Upcasters = upcasters): RecordedEvent {
  const { type, position, at } = stored
  const current = type in eventVersions ? eventVersions[type as EventType] : undefined // checked by `in`
  if (current === undefined || stored.version > current) {
    const what = `${type} (version ${stored.version}) at position ${position}`
    throw new OperatorError(
      'E_LOG_NEWER',
      `the event log contains ${what}, which this version of Tandem does not know`,
      {
        subject: 'event log',
        next: 'start the version of Tandem that wrote the log; the log was not changed',
      },
    )
  }
  let data: unknown = JSON.parse(stored.data)
  for (let version = stored.version; version < current; version++) {
    const upcast = known[`${type}/${version}`]
    if (!upcast) throw new Error(`no upcaster for ${type}/${version}: a bug`)
    data = upcast(data)
  }
  const complete = completed[type as EventType] // checked above
  if (complete) data = complete(data as never) // of that type
  return { type, data, position, at } as RecordedEvent // our own log, of a known type and version
}
