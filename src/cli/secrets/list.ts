import type { SecretView } from '../../api/secrets.ts'
import { checkedPath } from '../../definitions/secrets/paths.ts'
import { seen } from '../render/seen.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function listSecrets(session: Session, _flags: CommonFlags, prefix = ''): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const answer = await client.call('secrets', { query: { prefix } }, signal)
  out.result(answer, () => {
    if (answer.secrets.length === 0)
      return prefix === ''
        ? 'no secrets yet; tandem secrets put SERVICE/NAME FIELD stores one'
        : `no secret begins with ${prefix}`
    const head = ['PATH', 'VERSION', 'CHANGED', 'BY', 'FIELDS', 'ALSO FOR']
    return renderTable(
      head,
      answer.secrets.map((secret) => rowOf(secret, Date.now())),
      out.paint,
    ).join('\n')
  })
  return 0
}

const rowOf = ({ path, current, deleted, grants }: SecretView, now: number): string[] => [
  path,
  ...(current === null
    ? [deleted ? 'deleted' : '-', '-', '-', '-']
    : [String(current.version), seen(current.at, now), current.by ?? '-', current.fields.join(', ')]),
  grants.join(', ') || '-',
]

export async function listVersions(session: Session, _flags: CommonFlags, path: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const answer = await client.call('secretVersions', { params: { path: checkedPath(path) } }, signal)
  const { secret, versions } = answer
  out.result(answer, () => {
    if (versions.length === 0) return `all versions of ${path} were destroyed`
    const head = ['VERSION', 'STORED', 'BY', 'BYTES', 'FIELDS', 'REASON']
    const rows = versions.map(({ version, at, by, bytes, fields, reason, of }) => [
      `${version}${version === secret.current?.version ? ' (current)' : ''}`,
      ...[seen(at, Date.now()), by ?? '-', String(bytes), fields.join(', ')],
      [...(of === null ? [] : [`version ${of} again`]), ...(reason === null ? [] : [reason])].join(': ') || '-',
    ])
    return [
      ...(secret.deleted ? [`deleted; tandem secrets undelete ${path}   takes that back`] : []),
      ...renderTable(head, rows, out.paint),
    ].join('\n')
  })
  return 0
}
