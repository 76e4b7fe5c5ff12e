import type { DryRun } from '../../api/operation.ts'
import type { Paint } from '../paint.ts'
import { renderFacts } from './event.ts'

/** The events that a command would write to the log. */
export function renderDryRun({ events }: DryRun, paint: Paint): string {
  if (events.length === 0) return 'there is nothing to do'
  return [
    'without --dry-run, the event log would get these events first; nothing was changed:',
    ...events.map((event) => `  ${renderFacts(event, paint)}`),
  ].join('\n')
}
