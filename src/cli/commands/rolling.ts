import type { RolloutView } from '../../api/views.ts'
import { beginRollout } from '../follow/beginRollout.ts'
import { contactLostNote } from '../follow/contact.ts'
import { followRollout, type Following } from '../follow/followRollout.ts'
import { shortId } from '../../definitions/names.ts'
import type { CommonFlags, Session } from '../session.ts'

type OutageFlag = { allowOutage: boolean }

export async function deploy(
  session: Session,
  { release, allowOutage }: CommonFlags & OutageFlag & { release: string },
  service: string,
): Promise<number> {
  return roll(session, { service, kind: 'deploy', release, allowOutage }, `deploy ${service} ${shortId(release)}`)
}

export async function rollback(
  session: Session,
  {
    to,
    allowOutage,
    withConfig,
    withSecrets,
  }: CommonFlags & OutageFlag & { to?: string; withConfig: boolean; withSecrets: boolean },
  service: string,
): Promise<number> {
  const release = to ?? null
  return roll(
    session,
    { service, kind: 'rollback', release, allowOutage, withConfig, withSecrets },
    `roll back ${service}${to ? ` to ${to}` : ''}`,
  )
}

export async function restart(
  session: Session,
  { allowOutage }: CommonFlags & OutageFlag,
  service: string,
): Promise<number> {
  return roll(session, { service, kind: 'restart', allowOutage }, `restart ${service}`)
}

export async function start(session: Session, _flags: CommonFlags, service: string): Promise<number> {
  return roll(session, { service, kind: 'start' }, `start ${service}`)
}

export async function stop(session: Session, _flags: CommonFlags, service: string): Promise<number> {
  return roll(session, { service, kind: 'stop' }, `stop ${service}`)
}

export async function remove(
  session: Session,
  { data, force }: CommonFlags & { data: boolean; force: boolean },
  service: string,
): Promise<number> {
  const what = `remove ${service}${data ? ' and its data on every machine' : '; its data stays'}`
  return roll(session, { service, kind: 'remove', removeData: data, force }, what)
}

interface Roll {
  service: string
  kind: RolloutView['kind']
  release?: string | null
  allowOutage?: boolean
  removeData?: boolean
  force?: boolean
  withConfig?: boolean
  withSecrets?: boolean
}

async function roll(session: Session, asked: Roll, what: string): Promise<number> {
  const { client } = await session.announce(what)
  return rollOut(session, client, asked)
}

/** Starts a rollout and follows it. If there is nothing to do, prints that. */
export async function rollOut(
  session: Session,
  client: Awaited<ReturnType<Session['client']>>,
  asked: Roll,
  following: Following = {},
): Promise<number> {
  const { out, signal } = session
  const onLost = (): void => out.note(contactLostNote)
  const { release, previous, rollout, warnings } = await beginRollout(client, asked, { signal, onLost })
  for (const warning of warnings ?? []) out.warn(warning)
  if (rollout) return followRollout(session, client, rollout, following)
  out.note(`nothing to do: ${asked.service} ${alreadySo(asked.kind, release)}`)
  const { show = (result) => out.object(result) } = following
  show({ service: asked.service, release, previous, rollout: null })
  return 0
}

function alreadySo(kind: Roll['kind'], release: string): string {
  if (kind === 'stop') return 'is stopped already'
  if (kind === 'start') return `runs already (${shortId(release)})`
  return `runs ${shortId(release)} already`
}
