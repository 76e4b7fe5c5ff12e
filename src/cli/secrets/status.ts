import type { SecretUse, SecretView } from '../../api/secrets.ts'
import { checkedPath } from '../../definitions/secrets/paths.ts'
import { count } from '../render/names.ts'
import { seen } from '../render/seen.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function secretsStatus(session: Session, _flags: CommonFlags): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const answer = await client.call('secretsStatus', {}, signal)
  const { secrets, versions, rootKey, shares, sealed, recovery, backedUpAt, unsavedSince } = answer
  const now = Date.now()
  out.result(answer, () =>
    [
      `${count(secrets, 'secret')}, ${count(versions, 'version')}`,
      ...(sealed === null ? [] : [`${out.paint('red', '!')} sealed: ${sealed}`]),
      `root key: ${rootKey ?? 'none yet'}${shares === null ? '' : `, in ${shares.of} shares, of which ${shares.needed} open it`}`,
      `backup: ${backedUpAt === null ? 'never taken' : `taken ${seen(backedUpAt, now)}`}; ${count(recovery, 'recovery key')}`,
      // Without a key nobody could open a backup, as on a laptop.
      ...(unsavedSince === null || recovery === 0
        ? []
        : [
            `${out.paint('yellow', '!')} values from ${seen(unsavedSince, now)} on are in no backup: tandem secrets backup FILE`,
          ]),
    ].join('\n'),
  )
  return 0
}

export async function whoMay(session: Session, _flags: CommonFlags, path: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const { secret, uses } = await client.call('secretVersions', { params: { path: checkedPath(path) } }, signal)
  const { owner, grants } = secret
  out.result({ path, owner, grants, uses }, () =>
    [
      owner === null ? `${path} belongs to no service` : `${owner} may use ${path}: it is its own`,
      ...grants.map((service) => `${service} may use ${path}: granted`),
      'every operator may read it',
      ...useLines(uses, secret),
    ].join('\n'),
  )
  return 0
}

function useLines(uses: readonly SecretUse[], { current, rejectedBy, path }: SecretView): string[] {
  const newest = current?.version ?? null
  if (uses.length === 0) return ['no instance runs with it']
  const older = newest === null ? [] : uses.filter(({ version }) => version < newest)
  const services = [...new Set(older.map(({ service }) => service))]
  return [
    ...uses.map(({ instance, machine, version }) => `${instance} on ${machine} runs with version ${version}`),
    ...services.map((service) =>
      rejectedBy.includes(service)
        ? `${service} passes version ${newest} over: a rollout with it was reverted; tandem secrets put ${path} takes it again`
        : `tandem restart ${service}   brings it version ${newest}`,
    ),
  ]
}
