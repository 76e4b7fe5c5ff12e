import { checkedPath } from '../../definitions/secrets/paths.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

type Reason = CommonFlags & { reason?: string }

export async function rollbackSecret(
  session: Session,
  { version, reason }: Reason & { version?: number },
  path: string,
): Promise<number> {
  const params = { path: checkedPath(path) }
  const { client } = await session.announce(`store an earlier version of ${path} again`)
  const stored = await client.call(
    'rollbackSecret',
    { params, body: { version: version ?? null, reason: reason ?? null } },
    session.signal,
  )
  session.out.result(stored, () =>
    stored.changed ? `stored ${path}, version ${stored.version}` : `version ${stored.version} of ${path} is current`,
  )
  return 0
}

export async function deleteSecret(session: Session, { reason }: Reason, path: string): Promise<number> {
  const params = { path: checkedPath(path) }
  const { client } = await session.announce(`delete ${path}`)
  const { position } = await client.call('deleteSecret', { params, body: { reason: reason ?? null } }, session.signal)
  session.out.result({ path, position }, () => `deleted; tandem secrets undelete ${path}   takes that back`)
  return 0
}

export async function undeleteSecret(session: Session, _flags: CommonFlags, path: string): Promise<number> {
  const params = { path: checkedPath(path) }
  const { client } = await session.announce(`take back that ${path} was deleted`)
  const { position } = await client.call('undeleteSecret', { params }, session.signal)
  session.out.result({ path, position }, () => `${path} is back`)
  return 0
}

export async function destroySecret(
  session: Session,
  { reason }: Reason,
  path: string,
  ...given: string[]
): Promise<number> {
  const params = { path: checkedPath(path) }
  const versions = given.length === 0 ? null : given.map(numberIn)
  const { client } = await session.announce(
    `destroy ${versions === null ? 'all versions' : given.join(', ')} of ${path}`,
  )
  const answer = await client.call(
    'destroySecret',
    { params, body: { versions, reason: reason ?? null } },
    session.signal,
  )
  session.out.result({ path, ...answer }, () =>
    answer.versions.length === 0 ? 'nothing is left to destroy' : `destroyed ${answer.versions.join(', ')}`,
  )
  return 0
}

function numberIn(word: string): number {
  if (/^[1-9]\d{0,8}$/.test(word)) return Number(word)
  throw new OperatorError('E_USAGE', `"${word.slice(0, 60)}" is no version`, {
    subject: 'tandem secrets destroy',
    next: 'tandem secrets versions PATH   lists them',
  })
}

export const grantSecret = (session: Session, _flags: CommonFlags, path: string, service: string): Promise<number> =>
  change(session, 'grantSecret', { path, service }, [`let ${service} use ${path}`, `${service} may use ${path}`])

export const revokeSecret = (session: Session, _flags: CommonFlags, path: string, service: string): Promise<number> =>
  change(session, 'revokeSecret', { path, service }, [
    `no longer let ${service} use ${path}`,
    `${service} may no longer use ${path}`,
  ])

async function change(
  session: Session,
  call: 'grantSecret' | 'revokeSecret',
  { path, service }: { path: string; service: string },
  [does, done]: readonly [string, string],
): Promise<number> {
  const params = { path: checkedPath(path) }
  const { client } = await session.announce(does)
  const { position } = await client.call(call, { params, body: { service } }, session.signal)
  session.out.result({ path, service, position }, () => done)
  return 0
}
