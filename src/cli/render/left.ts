import type { LeftBehind } from '../programs.ts'
import { plain } from '../paint.ts'
import { renderTable } from './table.ts'

/** What is on a machine that left its cluster, and what to do next. */
export function renderLeft({ units, keptData, stays }: LeftBehind, purge: boolean): string {
  const next = 'next  take the machine out of cluster.yaml, then: tandem cluster apply   (where the controller is)'
  if (purge) {
    const rows = stays.map(({ what, where, remove }) => [`  ${what}`, where, remove ?? '-'])
    const table = renderTable(['  WHAT STAYS', 'WHERE', 'REMOVE IT WITH'], rows, plain)
    return ['the agent is gone, and so is everything that it ran and wrote', ...table, next].join('\n')
  }
  return [
    'Tandem is off this machine; these go on without it:',
    ...units.map((unit) => `  ${unit}`),
    ...(keptData.length > 0 ? [`data of ${keptData.join(', ')} is kept in /var/lib/private/tandem-data`] : []),
    next,
    '      docs/leaving.md says how to go on without Tandem',
  ].join('\n')
}
