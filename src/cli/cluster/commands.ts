import { resolve } from 'node:path'
import type { ClusterDefinition } from '../../definitions/cluster.ts'
import { clusterDifference, type ClusterChange } from '../../definitions/clusterDifference.ts'
import { settled } from '../../definitions/features.ts'
import { readCluster } from '../../definitions/readDefinition.ts'
import { renderWarnings } from '../../definitions/problem.ts'
import type { PlanPart } from '../planPart.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

const signs = { add: '+', remove: '-', change: '~' } as const

export const planCluster =
  (parts: readonly PlanPart[]) =>
  async (session: Session, _flags: CommonFlags, file: string): Promise<number> => {
    const { out } = session
    const wanted = await read(session, file)
    const client = await session.client()
    const { cluster: now } = await client.call('cluster', {}, session.signal)
    const changes = clusterDifference(now, wanted)
    const all = await Promise.all(parts.map((part) => part(session, client, { now, wanted: settled(now, wanted) })))
    out.result(Object.assign({ changes }, ...all.map((one) => one?.result)) as object, () =>
      [shown(session, changes), ...all.flatMap((one) => one?.lines ?? [])].join('\n'),
    )
    if (changes.length > 0) out.note(`  next  tandem cluster apply ${file}   makes these changes`)
    return 0
  }

export async function applyCluster(
  session: Session,
  { force }: CommonFlags & { force: boolean },
  file: string,
): Promise<number> {
  const { out, signal } = session
  const wanted = await read(session, file)
  const { client, status } = await session.announce(`apply ${file}`)
  const { cluster: now } = await client.call('cluster', {}, signal)
  const changes = clusterDifference(now, wanted)
  if (changes.length > 0 && !out.json) out.note(shown(session, changes))
  const { position } = await client.call('applyCluster', { body: { cluster: wanted, force } }, signal)
  out.result({ changes, position }, () => (changes.length === 0 ? shown(session, changes) : 'applied'))
  const here = new Set(status.machines.map(({ name }) => name))
  const missing = Object.keys(wanted.machines).filter((name) => !here.has(name))
  if (missing.length > 0)
    out.note(`  next  tandem machine add ${missing[0]}   prints the command that makes the machine join`)
  return 0
}

async function read({ host, out }: Session, file: string): Promise<ClusterDefinition> {
  const { cluster, warnings } = await readCluster(host.cwd === process.cwd() ? file : resolve(host.cwd, file))
  if (warnings.length > 0) out.note(renderWarnings(warnings))
  return cluster
}

function shown({ out }: Session, changes: ClusterChange[]): string {
  if (changes.length === 0) return 'no changes: the cluster matches the file'
  const rows = changes.map(({ kind, what, before, after }) => [
    signs[kind],
    what,
    [before, after].filter((side) => side !== null).join(' → '),
  ])
  return renderTable(['', 'WHAT', 'HOW'], rows, out.paint).join('\n')
}
