import { systemClock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { ClusterAuthority } from './clusterAuthority.ts'

/** Renews a machine's certificate with only the authority's folder, in case no controller answers for long. */
export async function signOffline({
  data,
  request,
  machine,
  address,
}: {
  /** Data folder of the controller, or a copy of it. */
  data: string
  /** PKCS #10, PEM. */
  request: string
  machine: string
  address: string
}): Promise<string> {
  const authority = ClusterAuthority.open(data)
  if (!authority) {
    throw new OperatorError('E_NO_AUTHORITY', `${data} contains no authority`, {
      subject: data,
      next: 'name the data folder of the controller, or a copy of it: --data DIR',
    })
  }
  return authority.sign(request, machine, address, systemClock.now())
}
