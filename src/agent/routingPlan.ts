import type { Peer, PlannedRoute, RoutingPlan, Target } from '../drivers/balancer/balancer.ts'
import type { DesiredRoute, DesiredState } from '../protocol/desiredState.ts'
import type { LocalInstance } from './localInstance.ts'

/**
 * What this machine's balancer should do: the routes desired, led to the instances that are really ready here. Instances
 * being stopped stay named as draining until nothing of them is left.
 */
export function routingPlan(
  desired: DesiredState,
  instances: ReadonlyMap<string, Pick<LocalInstance, 'port' | 'definition' | 'serves'>>,
  tcpOffset: number,
): RoutingPlan {
  const wanted = new Map(desired.instances.map((instance) => [instance.id, instance]))
  const targetsFor = (route: DesiredRoute): Target[] => {
    const targets: Target[] = []
    for (const [id, local] of instances) {
      if (local.port === null || local.definition.service !== route.service) continue
      const instance = wanted.get(id)
      const active =
        instance?.traffic === 'active' && route.releases.includes(instance.release) && local.serves && !desired.drained
      targets.push({ instance: id, port: local.port, state: active ? 'active' : 'draining' })
    }
    return targets
  }
  const peersFor = (route: DesiredRoute): Peer[] =>
    desired.peers
      .filter(({ machine }) => route.forwardTo.includes(machine))
      .map(({ machine, host, forwardPort }) => ({ machine, host, port: forwardPort }))
  return {
    position: desired.position,
    machine: desired.machine,
    routes: desired.routes.map((route): PlannedRoute => {
      const { service, match, holdMs, idleMs, bodyBytes } = route
      const base = { service, targets: targetsFor(route), peers: peersFor(route), holdMs, idleMs }
      return match.kind === 'http'
        ? { ...base, kind: 'http', host: match.host, path: match.path, bodyBytes }
        : { ...base, kind: 'tcp', port: match.port + tcpOffset, name: match.port }
    }),
  }
}
