import type { ApiClient } from '../api/client.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { KnownCluster } from './contexts.ts'

/** A cluster whose authority is known only by its fingerprint, as on the first call from another computer. */
interface Pinned extends KnownCluster {
  pin?: string | undefined
}

/**
 * Replaces the pin by the authority that the controller presents, if the authority's fingerprint is `pin`. Without a
 * pin, returns the cluster unchanged.
 */
export async function trusted({ pin, ...known }: Pinned): Promise<KnownCluster> {
  if (pin === undefined) return known
  const { checkedPin, pinnedAuthority } = await import('../identity/pinnedAuthority.ts')
  if (!known.url.startsWith('https:')) {
    throw new OperatorError('E_USAGE', 'a fingerprint needs https: over http, Tandem cannot verify the controller', {
      subject: known.url,
      next: `use ${known.url.replace(/^http:/, 'https:')}, or omit the fingerprint`,
    })
  }
  const expected = checkedPin(
    pin,
    'tandem context show --invite   prints the whole command, on a computer whose context works',
  )
  return { ...known, authority: await pinnedAuthority({ controller: new URL(known.url).host, pin: expected, refusal }) }
}

const refusal = {
  code: 'E_OTHER_AUTHORITY',
  next: 'check the address, the fingerprint (tandem context show --invite, on a computer whose context works), and that no proxy intercepts the connection',
} as const

/** Imports the client when it is first needed: loading its schemas takes longer than most commands run. */
export async function connectTo({ url, token, authority }: KnownCluster, dryRun = false): Promise<ApiClient> {
  const { ApiClient } = await import('../api/client.ts')
  const trust = authority === undefined ? null : { authority }
  return new ApiClient({ url, token, trust: () => trust, dryRun })
}
