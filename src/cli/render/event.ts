import type { EventView, ReleaseSource } from '../../api/views.ts'
import type { Paint } from '../paint.ts'
import { onOneLine } from './names.ts'
import { shortId } from '../../definitions/names.ts'

/** Fields that are too long for one line; `--json` prints them. */
const hidden = new Set(['mark', 'definition', 'held', 'routes', 'endpoints', 'target'])

/** `  42  2026-11-21 02:14:07.310  InstanceReady  machine=a instance=… port=20001  after 41  by machine a`. */
export function renderEvent({ position, at, by, cause, ...event }: EventView, paint: Paint): string {
  const time = at.replace('T', ' ').replace('Z', '')
  const origin = [
    ...(by === null ? [paint('dim', 'origin not recorded')] : []),
    ...(typeof cause === 'number' ? [paint('dim', `after ${cause}`)] : []),
    ...(typeof by === 'string' ? [paint('dim', `by ${onOneLine(by)}`)] : []),
  ]
  return [String(position).padStart(6), paint('dim', time), renderFacts(event, paint), ...origin].join('  ')
}

/** `InstanceReady  machine=a instance=… port=20001`. */
export function renderFacts({ type, data }: Pick<EventView, 'type' | 'data'>, paint: Paint): string {
  const facts = Object.entries(data).flatMap(([name, value]) => {
    const text = hidden.has(name) ? null : shown(value)
    return text === null ? [] : [`${paint('dim', `${name}=`)}${text}`]
  })
  return [paint('bold', type), ...facts].join('  ')
}

function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') {
    if (/^[0-9a-f]{64}$/.test(value)) return shortId(value)
    return /\s/.test(value) ? JSON.stringify(value) : value
  }
  if (typeof value === 'object' && 'commit' in value) return sourceText(value as ReleaseSource) // by the event's schema
  if (Array.isArray(value)) {
    if (value.length === 0) return null
    return value.map((one) => (typeof one === 'object' && one ? (nameOf(one) ?? '{…}') : shown(one))).join(',')
  }
  return JSON.stringify(value)
}

const sourceText = ({ commit, subject, dirty }: ReleaseSource): string =>
  `${shortId(commit)}${dirty ? '+changes' : ''} ${JSON.stringify(subject)}`

const nameOf = (value: object): string | null => ('id' in value && typeof value.id === 'string' ? value.id : null)
