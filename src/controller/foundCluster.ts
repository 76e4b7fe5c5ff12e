import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterAuthority } from './clusterAuthority.ts'
import { systemClock } from '../lib/clock.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { FounderTokens } from './founderTokens.ts'

interface Founding {
  cluster: string
  data: string
  /** IP addresses and host names at which the controller is reached. */
  addresses: string[]
  /** Tokens that the controller admits at its first start. */
  admit: Parameters<FounderTokens['write']>[0]
}

/** Creates a controller's data folder: the authority, the controller's identity, and the tokens for its first start. */
export async function foundCluster(founding: Founding): Promise<{ authority: string; pin: string }> {
  const { cluster, data, addresses, admit } = founding
  makeFolder(data)
  await ClusterAuthority.create(data, { cluster, addresses, now: systemClock.now() })
  new FounderTokens(data).write(admit)
  const pin = ClusterAuthority.open(data)?.pin ?? ''
  return { authority: readFileSync(join(data, 'authority', 'certificate.pem'), 'utf8'), pin }
}
