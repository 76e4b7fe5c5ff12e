import { resolve } from 'node:path'
import type { CallView } from '../../api/firewall.ts'
import type { ClusterDefinition } from '../../definitions/cluster.ts'
import { clusterDifference, type ClusterChange } from '../../definitions/clusterDifference.ts'
import { firewallOf, withMode } from '../../definitions/firewall/facets.ts'
import { readCluster } from '../../definitions/readDefinition.ts'
import { renderWarnings } from '../../definitions/problem.ts'
import { refusalLines, refusedBy } from '../firewall/render.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

const signs = { add: '+', remove: '-', change: '~' } as const

export async function planCluster(session: Session, _flags: CommonFlags, file: string): Promise<number> {
  const { out } = session
  const wanted = await read(session, file)
  const client = await session.client()
  const { cluster: now } = await client.call('cluster', {}, session.signal)
  const changes = clusterDifference(now, wanted)
  const refusals = await refusalsOf(session, client, now, wanted)
  out.result({ changes, ...(refusals === null ? {} : { refusals: refusals.calls }) }, () =>
    [shown(session, changes), ...(refusals?.lines ?? [])].join('\n'),
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

/** The connections that a change to `enforce` would refuse; `null`: this is no such change, or nothing has counted. */
async function refusalsOf(
  { out, signal }: Session,
  client: Awaited<ReturnType<Session['client']>>,
  now: ClusterDefinition | null,
  wanted: ClusterDefinition,
): Promise<{ calls: CallView[]; lines: string[] } | null> {
  const { mode, users } = firewallOf(withMode(now, wanted))
  if (mode !== 'enforce' || now === null || firewallOf(now).mode === 'enforce') return null
  const { calls, since } = await client.call('firewall', {}, signal)
  if (since === null) return null
  const lost = refusedBy(calls, users)
  return { calls: lost, lines: ['', ...refusalLines(lost, out.paint)] }
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
