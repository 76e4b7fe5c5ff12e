import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryPoints } from './cli/entryPoints.ts'
import { ClusterAuthority } from './controller/clusterAuthority.ts'
import { systemClock } from './lib/clock.ts'
import { writeJsonDurably } from './lib/durableJson.ts'
import { makeFolder } from './lib/makeFolder.ts'
import { OperatorError } from './lib/operatorError.ts'
import { admitFileIn } from './runController.ts'

type Options = Parameters<EntryPoints['initController']>[0]

/** Creates a controller's data folder: the authority, the controller's identity, and the tokens for its first start. */
export async function initController(options: Options): Promise<{ authority: string; pin: string }> {
  const { cluster, data, addresses, admit } = options
  makeFolder(data)
  await ClusterAuthority.create(data, { cluster, addresses, now: systemClock.now() })
  writeJsonDurably(admitFileIn(data), admit)
  const pin = ClusterAuthority.open(data)?.pin ?? ''
  return { authority: readFileSync(join(data, 'authority', 'certificate.pem'), 'utf8'), pin }
}

/** Renews a machine's certificate with only the authority's folder, in case no controller answers for long. */
export async function signOffline({
  data,
  request,
  machine,
  address,
}: Parameters<EntryPoints['signOffline']>[0]): Promise<string> {
  const authority = ClusterAuthority.open(data)
  if (!authority) {
    throw new OperatorError('E_NO_AUTHORITY', `${data} contains no authority`, {
      subject: data,
      next: 'name the data folder of the controller, or a copy of it: --data DIR',
    })
  }
  return authority.sign(request, machine, address, systemClock.now())
}
