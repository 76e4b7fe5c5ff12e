import type { LogLine } from '../supervisor.ts'
import { sliceName, unitName } from './unitName.ts'

/** systemd's id of "Suppressed N messages from UNIT" (sd-messages.h: SD_MESSAGE_JOURNAL_DROPPED). */
export const droppedMessage = 'a596d6fe7bfa4994828e72309e95d61e'
/** The identifier of the agent's own lines in the journal. */
export const ownIdentifier = 'tandem'
export const wantedFields = [
  ...['MESSAGE', 'MESSAGE_ID', 'TANDEM_SERVICE', 'TANDEM_INSTANCE', 'TANDEM_OVER', '_SYSTEMD_UNIT', '_UID'],
  ...['SYSLOG_IDENTIFIER', '_SYSTEMD_SLICE', '_TRANSPORT', 'OBJECT_SYSTEMD_UNIT', 'OBJECT_SYSTEMD_CGROUP'],
]

export interface JournalLine extends LogLine {
  /** The instance is gone and all its lines came before this one. */
  isOver: boolean
}

/**
 * Parses a line of `journalctl --output=json`, or returns `null` if the line is not relevant. A process can claim any
 * field whose name does not begin with `_`; journald guarantees the fields that do. So output belongs to the service in
 * whose slice it was written, whatever its other fields, and notes come only from root or from `own`, the user of the
 * agent, and never from a service.
 */
export function readJournalLine(json: string, service: string, own = process.getuid?.() ?? 0): JournalLine | null {
  const entry = JSON.parse(json) as Record<string, unknown> // journalctl's own output
  const at = new Date(Math.floor(Number(entry['__REALTIME_TIMESTAMP']) / 1000)).toISOString()
  const text = textOf(entry['MESSAGE'])
  if (entry['MESSAGE_ID'] === droppedMessage && entry['_SYSTEMD_UNIT'] === 'systemd-journald.service') {
    return droppedLine(entry, at, text, service)
  }
  if (entry['_SYSTEMD_SLICE'] === sliceName(service) || isPrinted(entry, service)) {
    const instance = valuesOf(entry['TANDEM_INSTANCE']).find((id) => entry['_SYSTEMD_UNIT'] === unitName(service, id))
    return instance === undefined ? null : { at, service, instance, text, stream: 'out', isOver: false }
  }
  const instance = entry['TANDEM_INSTANCE']
  if (entry['TANDEM_SERVICE'] !== service || typeof instance !== 'string') return null
  const isOurs = entry['_UID'] === '0' || entry['_UID'] === String(own)
  const isOfService = String(entry['_SYSTEMD_SLICE']).startsWith('tandem-')
  if (!isOurs || isOfService || entry['SYSLOG_IDENTIFIER'] !== ownIdentifier) return null
  return { at, service, instance, text, stream: 'tandem', isOver: entry['TANDEM_OVER'] === '1' }
}

/**
 * A line of the stdout or stderr of a unit: journald and the unit set its fields, and the program can add none. If the
 * program had ended before journald examined it, the slice is not known.
 */
const isPrinted = (entry: Record<string, unknown>, service: string): boolean =>
  entry['_TRANSPORT'] === 'stdout' && entry['_SYSTEMD_SLICE'] === undefined && entry['TANDEM_SERVICE'] === service

/** A field that its writer sets besides LogExtraFields= of the unit has both values, in a list. */
const valuesOf = (field: unknown): string[] =>
  (Array.isArray(field) ? field : [field]).filter((one): one is string => typeof one === 'string')

function droppedLine(entry: Record<string, unknown>, at: string, text: string, service: string): JournalLine | null {
  const unit = /(tandem-\S+\.service)/.exec(`${textOf(entry['OBJECT_SYSTEMD_UNIT'])} ${text}`)?.[1]
  if (!unit?.startsWith(`tandem-${service}-`)) return null
  // `tandem-shop-api-….service` may belong to `shop` or to `shop-api`: its control group decides.
  const group = entry['OBJECT_SYSTEMD_CGROUP']
  if (typeof group === 'string' && !group.includes(`/${sliceName(service)}/`)) return null
  const instance = unit.slice('tandem-'.length, -'.service'.length)
  return { at, service, instance, stream: 'tandem', text: `the journal dropped lines here: ${text}`, isOver: false }
}

/** A message that is not UTF-8 arrives as a list of bytes. */
function textOf(message: unknown): string {
  if (typeof message === 'string') return message
  return Array.isArray(message) ? Buffer.from(message as number[]).toString('utf8') : ''
}
