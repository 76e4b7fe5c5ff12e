import { environmentNamePattern } from '../../definitions/names.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { rollAfter } from '../commands/rollAfter.ts'
import type { CommonFlags, Session } from '../session.ts'

type Flags = CommonFlags & { reason?: string; cas?: number; roll: boolean }

export async function setConfig(session: Session, flags: Flags, service: string, ...given: string[]): Promise<number> {
  const set = Object.fromEntries(given.map(settingIn))
  return change(session, flags, service, { set, unset: [] }, `set ${Object.keys(set).join(', ')} of ${service}`)
}

export async function unsetConfig(
  session: Session,
  flags: Flags,
  service: string,
  ...unset: string[]
): Promise<number> {
  return change(session, flags, service, { set: {}, unset }, `unset ${unset.join(', ')} of ${service}`)
}

export async function rollbackConfig(
  session: Session,
  { version, reason, roll }: CommonFlags & { version?: number; reason?: string; roll: boolean },
  service: string,
): Promise<number> {
  const { client } = await session.announce(`give ${service} earlier settings again`)
  const body = { version: version ?? null, reason: reason ?? null }
  const changed = await client.call('rollbackConfig', { params: { service }, body }, session.signal)
  return told(session, client, service, changed, roll)
}

async function change(
  session: Session,
  { reason, cas, roll }: Flags,
  service: string,
  values: { set: Record<string, string>; unset: string[] },
  what: string,
): Promise<number> {
  const { client } = await session.announce(what)
  const body = { ...values, reason: reason ?? null, cas: cas ?? null }
  const changed = await client.call('changeConfig', { params: { service }, body }, session.signal)
  return told(session, client, service, changed, roll)
}

async function told(
  session: Session,
  client: Awaited<ReturnType<Session['client']>>,
  service: string,
  changed: { version: number | null; changed: boolean },
  roll: boolean,
): Promise<number> {
  const { runs, running } = await client.call('serviceConfig', { params: { service } }, session.signal)
  const isDue = running && runs !== changed.version
  const { out } = session
  const next = roll || !isDue ? '' : `\n  tandem restart ${service}   brings it to the instances`
  const has = changed.changed ? `has configuration ${changed.version}` : 'has these settings already'
  out.line(`${service} ${has}${next}`)
  const done = { service, ...changed }
  if (roll) {
    if (!isDue)
      out.note(running ? `${service} runs with it already` : `${service} does not run: it gets them when it starts`)
    return rollAfter(session, client, done, isDue ? [service] : [])
  }
  out.object(done)
  return 0
}

function settingIn(word: string): [string, string] {
  const at = word.indexOf('=')
  const name = at < 0 ? word : word.slice(0, at)
  if (at > 0 && environmentNamePattern.test(name)) return [name, word.slice(at + 1)]
  throw new OperatorError('E_USAGE', `"${word.slice(0, 60)}" is not NAME=VALUE`, {
    subject: 'tandem config set',
    next: 'tandem config show SERVICE   shows the names',
  })
}
