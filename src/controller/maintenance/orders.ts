import { scriptContent } from '../../identity/order.ts'
import type { Orders } from '../../protocol/slices.ts'
import type { Sign, Unsigned } from '../signing.ts'

export function maintenanceOrders({ maintenance }: Unsigned, sign: Sign): Pick<Orders, 'script' | 'restart'> {
  const about = { id: maintenance?.id ?? '', attempt: maintenance?.attempt ?? 0 }
  return {
    script: maintenance?.script ? sign('script', about, scriptContent(maintenance.script)) : null,
    restart: maintenance?.restart ? sign('restart', about, null) : null,
  }
}
