import type { ApiClient } from '../api/client.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { KnownCluster } from './contexts.ts'

/** A cluster whose authority is known by its fingerprint only, as on another computer's first call. */
interface Pinned extends KnownCluster {
  pin?: string | undefined
}

/** The same with the authority that the controller shows, where its fingerprint is `pin`; without a pin as it is. */
export async function trusted({ pin, ...known }: Pinned): Promise<KnownCluster> {
  if (pin === undefined) return known
  const { checkedPin, pinnedAuthority } = await import('./pinnedAuthority.ts')
  if (!known.url.startsWith('https:')) {
    throw new OperatorError('E_USAGE', 'a fingerprint is for https: nothing vouches for a controller over http', {
      subject: known.url,
      next: `use ${known.url.replace(/^http:/, 'https:')}, or leave the fingerprint out`,
    })
  }
  const expected = checkedPin(pin, 'tandem context show --invite   prints the whole line, where a context works')
  return { ...known, authority: await pinnedAuthority({ controller: new URL(known.url).host, pin: expected, refusal }) }
}

const refusal = {
  code: 'E_OTHER_AUTHORITY',
  next: 'check the address, the fingerprint (tandem context show --invite, where a context works), and that nothing stands between',
} as const

/** Imported when first needed: schemas take longer to load than most commands to run. */
export async function connectTo({ url, token, authority }: KnownCluster): Promise<ApiClient> {
  const { ApiClient } = await import('../api/client.ts')
  const trust = authority === undefined ? null : { authority }
  return new ApiClient({ url, token, trust: () => trust })
}
