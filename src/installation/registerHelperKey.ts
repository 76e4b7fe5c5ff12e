import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ApiClient } from '../api/client.ts'
import { fingerprint } from '../identity/certificate.ts'
import { JoinedFolder } from '../identity/joinedMachine.ts'
import { pinnedAuthority } from '../identity/pinnedAuthority.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { RootFolder } from '../privileged/rootFolder.ts'
import { HelperKey } from '../privileged/secrets/helperKey.ts'
import { AgeKey } from '../sealing/ageKey.ts'
import { joinRefusal, trustIn, type Join } from './joinCluster.ts'

/**
 * Makes the key of the privileged helper, to which the controller encrypts the secrets of this machine's services, and
 * registers it with a join token. On a machine that has joined already, the token does nothing else. Called by root.
 */
export async function registerHelperKey({ controller, token, pin, data }: Join): Promise<void> {
  if (!existsSync('/usr/bin/systemd-creds') || belongsElsewhere(data, pin)) return
  const { path } = new RootFolder(data)
  const kept = new HelperKey(path)
  const known = await kept.read().catch(() => null) // it is missing, or the key of the machine has changed
  const key = known ?? (await AgeKey.make())
  const authority = await pinnedAuthority({ controller, pin, refusal: joinRefusal })
  const client = new ApiClient({ url: `https://${controller}`, token, trust: trustIn(authority) })
  try {
    await client.call('registerHelperKey', { body: { recipient: key.recipient } })
  } catch (error) {
    if (mayGoOn(error, known !== null)) return
    throw error
  }
  if (known) return
  mkdirSync(path, { recursive: true, mode: 0o700 })
  // Values from before are sealed with a key of the machine that is gone.
  rmSync(join(path, 'secrets'), { recursive: true, force: true })
  await kept.keep(key)
}

function belongsElsewhere(data: string, pin: string): boolean {
  const folder = new JoinedFolder(data)
  return folder.exists() && fingerprint(folder.identity.read().authority) !== pin
}

/** The command is repeated, and its token used; or the controller is of a version that delivers no secrets. */
const mayGoOn = (error: unknown, isKnown: boolean): boolean =>
  error instanceof OperatorError && (error.code === 'E_NOT_FOUND' || (isKnown && error.code === 'E_JOIN_REFUSED'))
