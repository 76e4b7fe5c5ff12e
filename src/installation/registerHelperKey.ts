import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ApiClient } from '../api/client.ts'
import { fingerprint } from '../identity/certificate.ts'
import { JoinedFolder } from '../identity/joinedMachine.ts'
import { pinnedAuthority } from '../identity/pinnedAuthority.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { RootFolder } from '../privileged/rootFolder.ts'
import { HelperKey } from '../privileged/secrets/helperKey.ts'
import { AcceptedOrders } from '../privileged/services/acceptedOrders.ts'
import { joinRefusal, trustIn, type Join } from './joinCluster.ts'

/**
 * Makes the key of the privileged helper, to which the controller encrypts the secrets of this machine's services, and
 * registers it with a join token. On a machine that has joined already, the token does nothing else. Called by root.
 * Resolves with why the machine cannot receive secrets; `null`: it can. Follows "the machine".
 */
export async function registerHelperKey({ controller, token, pin, data }: Join): Promise<string | null> {
  if (!existsSync('/usr/bin/systemd-creds'))
    return 'cannot receive secrets: it has no systemd-creds, which comes with systemd 250'
  const joined = new JoinedFolder(data)
  const hasJoined = joined.exists()
  if (hasJoined && fingerprint(joined.identity.read().authority) !== pin) return null // joining refuses it
  const folder = new RootFolder(data)
  const { path } = folder
  const kept = new HelperKey(path)
  const { key, isNew } = await kept.next()
  const authority = await pinnedAuthority({ controller, pin, refusal: joinRefusal })
  const client = new ApiClient({ url: `https://${controller}`, token, trust: trustIn(authority) })
  try {
    const { signs } = await client.call('registerHelperKey', { body: { recipient: key.recipient, hasJoined } })
    if (signs) new AcceptedOrders({ folder, now: Date.now }).demand()
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    if (error.code === 'E_NOT_FOUND') return 'cannot receive secrets: the version of its controller delivers none'
    // The command is repeated, with its used token: then it finishes what was cut off.
    if (error.code !== 'E_JOIN_REFUSED' || !hasJoined) throw error
    return isNew
      ? 'cannot receive secrets: the token was used before its key was registered; tandem machine add NAME prints another'
      : null
  }
  if (!isNew) return null
  forgetValues(join(path, 'secrets'))
  rmSync(join(path, 'files'), { recursive: true, force: true })
  kept.take()
  return null
}

/** Values from before, as in files, are sealed with a key of the machine that is gone. The orders stay: none that is older counts. */
function forgetValues(folder: string): void {
  const services = existsSync(folder) ? readdirSync(folder) : []
  for (const service of services)
    for (const name of ['values', 'credentials']) rmSync(join(folder, service, name), { recursive: true, force: true })
}
