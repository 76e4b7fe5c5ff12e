import { oneOf } from '../../lib/oneOf.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { invitationTo } from '../invitation.ts'
import { showAge } from '../duration.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

type TokenFlags = CommonFlags & { role: 'operator' | 'reader' | 'agent'; name: string; machine?: string }

export async function createToken(session: Session, { role, name, machine }: TokenFlags): Promise<number> {
  if ((role === 'agent') !== (machine !== undefined)) {
    const message = role === 'agent' ? 'a token of role agent needs --machine' : '--machine is only for role agent'
    throw new OperatorError('E_USAGE', message, { subject: '--machine', next: 'tandem controller token create --help' })
  }
  const { client } = await session.announce(`create a token for ${name} (${role})`)
  const body = { role, name, machine: machine ?? null }
  const { token } = await client.call('createToken', { body }, session.signal)
  const invite = role === 'agent' ? {} : { invite: invitationTo(session.chosen(), token) }
  session.out.result({ token, role, name, machine: machine ?? null, ...invite }, () => token)
  session.out.note('copy the token now: it cannot be shown again')
  if ('invite' in invite)
    session.out.note(`  on the other computer, this command creates a context with the token:\n    ${invite.invite}`)
  return 0
}

export async function listTokens(session: Session, _flags: CommonFlags): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const { tokens } = await client.call('tokens', {}, signal)
  out.result({ tokens }, () => {
    const rows = tokens.map(({ id, role, machine, name, createdAt }) => [
      ...[id, role, machine ?? '-', name, showAge(createdAt, Date.now())],
    ])
    return renderTable(['TOKEN', 'ROLE', 'MACHINE', 'NAME', 'AGE'], rows, out.paint).join('\n')
  })
  return 0
}

export async function revokeToken(session: Session, _flags: CommonFlags, id: string): Promise<number> {
  const { client } = await session.announce(`revoke token ${id}`)
  const { tokens } = await client.call('tokens', {}, session.signal)
  const found = oneOf(
    id,
    tokens.map((token) => token.id),
    'tokens',
  )
  const one = tokens.find((token) => token.id === found)
  if (!one)
    throw new OperatorError('E_USAGE', `there is no token ${id}`, { subject: id, next: 'tandem controller token list' })
  await client.call('revokeToken', { params: { id: one.id } }, session.signal)
  session.out.result({ revoked: one.id }, () => `revoked the token of ${one.name} (${one.role})`)
  return 0
}

export async function recover(
  session: Session,
  { without = [] }: CommonFlags & { without?: readonly string[] },
): Promise<number> {
  const { client } = await session.announce('recover: adopt the services that the machines run')
  // An older controller knows no such field.
  const body = without.length > 0 ? { without: [...without] } : {}
  const answer = await client.call('recover', { body }, session.signal)
  session.out.result(answer, () => {
    const adopted = answer.adopted.join(', ') || 'no machine'
    return `adopted the services of ${adopted}; term ${answer.term}, position ${answer.position}. No service was changed.`
  })
  return 0
}
