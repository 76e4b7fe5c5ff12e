import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { PlannedRoute, RoutingPlan, Unserved } from '../balancer.ts'

/** HAProxy is told addresses, not names: a name that cannot be looked up must not keep it from starting. */
export async function withAddresses(plan: RoutingPlan): Promise<{ plan: RoutingPlan; unserved: Unserved[] }> {
  const addresses = new Map<string, string | null>()
  const unserved: Unserved[] = []
  for (const host of new Set(plan.routes.flatMap(({ peers }) => peers.map((peer) => peer.host)))) {
    const found = isIP(host) ? { address: host } : await lookup(host).catch(() => null)
    addresses.set(host, found?.address ?? null)
  }
  const routes = plan.routes.map((route): PlannedRoute => {
    const peers = route.peers.flatMap((peer) => {
      const host = addresses.get(peer.host) ?? null
      if (host !== null) return [{ ...peer, host }]
      const reason = `the address ${peer.host} of machine ${peer.machine} cannot be looked up, so nothing of ${route.service} is forwarded there`
      unserved.push({ service: route.service, reason })
      return []
    })
    return { ...route, peers }
  })
  return { plan: { ...plan, routes }, unserved }
}
