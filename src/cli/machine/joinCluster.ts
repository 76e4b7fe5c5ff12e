import { ApiClient } from '../../api/client.ts'
import { createRequest } from '../../identity/authority.ts'
import { fingerprint } from '../../identity/certificate.ts'
import { JoinedFolder, type JoinedMachine } from '../../identity/joinedMachine.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { pinnedAuthority } from '../pinnedAuthority.ts'

export interface Join {
  /** `host:port`. */
  controller: string
  token: string
  /** sha256 of the authority's certificate, hex. */
  pin: string
  /** The agent's data folder. */
  data: string
}

export interface Joined extends JoinedMachine {
  /** The certificate with that pin, PEM. */
  authority: string
}

/**
 * Makes this machine's key, has it signed, and leaves on disk what the agent starts from. The key never travels. A call that
 * was cut off is finished by the same command again.
 */
export async function joinCluster({ controller, token, pin, data }: Join, signal: AbortSignal): Promise<Joined> {
  const folder = new JoinedFolder(data)
  if (folder.exists()) {
    const known = folder.read()
    const { authority } = folder.identity.read()
    if (fingerprint(authority) === pin) return { ...known, authority }
    const { machine, settings } = known
    throw new OperatorError('E_USAGE', `this machine has joined already, as ${machine} of ${settings.cluster}`, {
      subject: data,
      next: `tandem agent run --data ${data}   runs it; to join anew, move that folder away first`,
    })
  }
  folder.identity.make() // before the token is used
  const authority = await pinnedAuthority({ controller, pin, refusal })
  const client = new ApiClient({ url: `https://${controller}`, token, trust: trustIn(authority) })
  const { key, request } = folder.identity.pending() ?? folder.identity.keep(await createRequest('machine'))
  const { machine, certificate, controllers, settings } = await client.call('join', { body: { request } }, signal)
  folder.identity.write({ key, certificate, authority })
  const joined = { machine, controllers, settings }
  folder.write(joined)
  folder.identity.forgetPending()
  return { ...joined, authority }
}

const refusal = {
  code: 'E_JOIN_REFUSED',
  next: 'check the address, and that nothing stands between; tandem machine add NAME   prints a new join command',
} as const

function trustIn(authority: string): () => { authority: string } {
  const trust = { authority }
  return () => trust
}
