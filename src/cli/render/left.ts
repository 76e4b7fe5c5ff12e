import type { LeftBehind } from '../entryPoints.ts'
import { plain } from '../paint.ts'
import { renderTable } from './table.ts'

/** Lists what remains on a machine that left its cluster, and the next step. */
export function renderLeft({ units, keptData, stays }: LeftBehind, purge: boolean): string {
  const next =
    'next  remove the machine from cluster.yaml, then: tandem cluster apply cluster.yaml   (where a context works)'
  if (purge) {
    const rows = stays.map(({ what, where, remove }) => [`  ${what}`, where, remove ?? '-'])
    const table = renderTable(['  REMAINS', 'WHERE', 'REMOVE IT WITH'], rows, plain)
    return ['removed the agent and everything that it ran and wrote', ...table, next].join('\n')
  }
  return [
    'removed Tandem from this machine; these units continue to run:',
    ...units.map((unit) => `  ${unit}`),
    ...(keptData.length > 0 ? [`kept the data of ${keptData.join(', ')} in /var/lib/private/tandem-data`] : []),
    next,
    '      docs/leaving.md explains how to run the services without Tandem',
  ].join('\n')
}
