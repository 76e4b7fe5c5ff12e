import {
  contentHash,
  programContent,
  scriptContent,
  settingsContent,
  signOrder,
  type Order,
} from '../identity/order.ts'
import type { Identity } from '../identity/identityFolder.ts'
import type { DesiredState } from '../protocol/desiredState.ts'

type Orders = DesiredState['orders']

/** A controller without a certificate signs nothing; its agents then carry out the desired state themselves. */
export const noOrders: Orders = { script: null, restart: null, settings: null, program: null }

/**
 * Signs the parts of a desired state that the machine's privileged helper must verify, because an attacker may control
 * the agent in between.
 */
export function signedOrders(desired: Omit<DesiredState, 'orders'>, identity: Identity): Orders {
  const { machine, term, position, maintenance, settings, program } = desired
  const sign = (kind: Order['kind'], about: { id: string; attempt: number }, content: unknown): string =>
    signOrder({ machine, kind, ...about, term, position, sha256: contentHash(content) }, identity)
  const about = { id: maintenance?.id ?? '', attempt: maintenance?.attempt ?? 0 }
  return {
    script: maintenance?.script ? sign('script', about, scriptContent(maintenance.script)) : null,
    restart: maintenance?.restart ? sign('restart', about, null) : null,
    settings: settings ? sign('settings', { id: '', attempt: 0 }, settingsContent(settings)) : null,
    program: program ? sign('program', { id: program.key, attempt: 0 }, programContent(program)) : null,
  }
}
