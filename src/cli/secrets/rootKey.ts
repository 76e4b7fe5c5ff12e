import { text } from 'node:stream/consumers'
import { count } from '../render/names.ts'
import type { CommonFlags, Session } from '../session.ts'
import { askHidden } from './askHidden.ts'

type HolderFlags = CommonFlags & { holder?: readonly string[] }

export const initSecrets = (session: Session, flags: HolderFlags): Promise<number> => makeRootKey(session, flags, true)
export const rekeySecrets = (session: Session, flags: HolderFlags): Promise<number> =>
  makeRootKey(session, flags, false)

async function makeRootKey(session: Session, { holder = [] }: HolderFlags, first: boolean): Promise<number> {
  const { out, signal } = session
  const { client } = await session.announce('make a new root key for the secrets')
  const answer = await client.call('rekeySecrets', { body: { first, holders: [...holder] } }, signal)
  const { shares, needed } = answer
  out.result(answer, () =>
    shares.length === 0
      ? 'the keys of all values are wrapped with the new root key'
      : shares.map((share, at) => `share ${at + 1}, for ${holder[at]}:\n${share.trim()}`).join('\n\n'),
  )
  if (needed > 0)
    out.note(
      `the key is used once ${needed} holders have entered theirs: age --decrypt -i KEYFILE | tandem secrets unseal`,
    )
  return 0
}

export async function unsealSecrets(session: Session, _flags: CommonFlags): Promise<number> {
  const { host, out, signal } = session
  const { client } = await session.announce('enter a share of the root key')
  const isTyped = (host.stdin() as NodeJS.ReadStream).isTTY
  const share = isTyped ? await askHidden(session, 'share: ', 'tandem secrets unseal < FILE') : await text(host.stdin())
  const answer = await client.call('unsealSecrets', { body: { share: share.trim() } }, signal)
  const { entered, needed, opened } = answer
  out.result(answer, () =>
    opened
      ? 'the root key is open'
      : `${entered} of ${count(needed, 'share')} entered; the key opens with the last one`,
  )
  return 0
}

export async function sealSecrets(session: Session, _flags: CommonFlags): Promise<number> {
  const { client } = await session.announce('forget the root key of the secrets')
  await client.call('sealSecrets', {}, session.signal)
  session.out.result({ sealed: true }, () => 'sealed; tandem secrets unseal   opens it again, with shares')
  return 0
}
