import { ApiClient } from '../api/client.ts'
import { createRequest } from '../identity/authority.ts'
import { fingerprint } from '../identity/certificate.ts'
import { JoinedFolder, type JoinedMachine } from '../identity/joinedMachine.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { pinnedAuthority } from '../identity/pinnedAuthority.ts'

export interface Join {
  /** Address as `host:port`. */
  controller: string
  token: string
  /** sha256 of the authority's certificate, hex. */
  pin: string
  /** Data folder of the agent. */
  data: string
}

export interface Joined extends JoinedMachine {
  /** The authority's certificate (PEM), whose fingerprint is the pin. */
  authority: string
}

/**
 * Creates this machine's key, has it signed, and writes the files from which the agent starts. The key never leaves the
 * machine. If a call was interrupted, the same command finishes it.
 */
export async function joinCluster({ controller, token, pin, data }: Join, signal: AbortSignal): Promise<Joined> {
  const folder = new JoinedFolder(data)
  if (folder.exists()) {
    const known = folder.read()
    const { authority } = folder.identity.read()
    if (fingerprint(authority) === pin) return { ...known, authority }
    const { machine, settings } = known
    throw new OperatorError(
      'E_USAGE',
      `this computer has already joined as machine ${machine} of cluster ${settings.cluster}`,
      {
        subject: data,
        next: `tandem agent run --data ${data}   runs its agent; to join again, first move the data folder`,
      },
    )
  }
  folder.identity.make() // before the token is used
  const authority = await pinnedAuthority({ controller, pin, refusal: joinRefusal })
  const client = new ApiClient({ url: `https://${controller}`, token, trust: trustIn(authority) })
  const { key, request } = folder.identity.pending() ?? folder.identity.keep(await createRequest('machine'))
  const { machine, certificate, controllers, settings } = await client.call('join', { body: { request } }, signal)
  folder.identity.write({ key, certificate, authority })
  const joined = { machine, controllers, settings }
  folder.write(joined)
  folder.identity.forgetPending()
  return { ...joined, authority }
}

export const joinRefusal = {
  code: 'E_JOIN_REFUSED',
  next: 'check the address, and that no proxy intercepts the connection; tandem machine add NAME   prints a new join command',
} as const

export function trustIn(authority: string): () => { authority: string } {
  const trust = { authority }
  return () => trust
}
