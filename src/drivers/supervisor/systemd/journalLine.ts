import type { LogLine } from '../supervisor.ts'
import { unitName } from './unitName.ts'

/** systemd's id of "Suppressed N messages from UNIT" (sd-messages.h: SD_MESSAGE_JOURNAL_DROPPED). */
export const droppedMessage = 'a596d6fe7bfa4994828e72309e95d61e'
/** The name that the agent's own lines carry in the journal. */
export const ownIdentifier = 'tandem'
export const wantedFields = [
  ...['MESSAGE', 'MESSAGE_ID', 'TANDEM_SERVICE', 'TANDEM_INSTANCE', 'TANDEM_OVER', '_SYSTEMD_UNIT', '_UID'],
  ...['SYSLOG_IDENTIFIER', 'OBJECT_SYSTEMD_UNIT'],
]

export interface JournalLine extends LogLine {
  /** The instance is gone and every line of it came before this one. */
  isOver: boolean
}

/**
 * A line of `journalctl --output=json` as one of ours, or `null`. A process can claim any field whose name does not begin with
 * `_`; journald vouches for those that do: notes are of root, or of `own`, the user that the agent is. What a unit claims beside its own LogExtraFields= shows as a list: not taken.
 */
export function readJournalLine(json: string, service: string, own = process.getuid?.() ?? 0): JournalLine | null {
  const entry = JSON.parse(json) as Record<string, unknown> // journalctl's own output
  const at = new Date(Math.floor(Number(entry['__REALTIME_TIMESTAMP']) / 1000)).toISOString()
  const text = textOf(entry['MESSAGE'])
  if (entry['MESSAGE_ID'] === droppedMessage) return droppedLine(entry, at, text, service)
  const instance = entry['TANDEM_INSTANCE']
  if (entry['TANDEM_SERVICE'] !== service || typeof instance !== 'string') return null
  const line = { at, service, instance, text }
  if (entry['_SYSTEMD_UNIT'] === unitName(service, instance)) return { ...line, stream: 'out', isOver: false }
  const isOurs = entry['_UID'] === '0' || entry['_UID'] === String(own)
  if (!isOurs || entry['SYSLOG_IDENTIFIER'] !== ownIdentifier) return null
  return { ...line, stream: 'tandem', isOver: entry['TANDEM_OVER'] === '1' }
}

function droppedLine(entry: Record<string, unknown>, at: string, text: string, service: string): JournalLine | null {
  if (entry['_SYSTEMD_UNIT'] !== 'systemd-journald.service') return null
  const unit = /(tandem-\S+\.service)/.exec(`${textOf(entry['OBJECT_SYSTEMD_UNIT'])} ${text}`)?.[1]
  if (!unit?.startsWith(`tandem-${service}-`)) return null
  const instance = unit.slice('tandem-'.length, -'.service'.length)
  return { at, service, instance, stream: 'tandem', text: `the journal dropped lines here: ${text}`, isOver: false }
}

/** A message that is not UTF-8 comes as a list of bytes. */
function textOf(message: unknown): string {
  if (typeof message === 'string') return message
  return Array.isArray(message) ? Buffer.from(message as number[]).toString('utf8') : ''
}
