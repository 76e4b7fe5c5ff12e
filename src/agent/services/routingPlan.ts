import type { OwnPort, Peer, PlannedRoute, RoutingPlan, Target } from '../../drivers/balancer/balancer.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { LocalRoute } from '../../protocol/localRoutes.ts'
import type { DesiredRoute } from '../../protocol/services.ts'
import type { LocalInstance } from '../localInstance.ts'

/**
 * The plan for this machine's balancer: the desired routes, with the instances that are really ready here as targets.
 * Instances that are being stopped stay in the plan as draining until nothing of them is left.
 */
export function routingPlan(
  desired: DesiredState,
  instances: ReadonlyMap<string, Pick<LocalInstance, 'port' | 'definition' | 'serves'>>,
  tcpOffset: number,
): RoutingPlan {
  const wanted = new Map(desired.instances.map((instance) => [instance.id, instance]))
  const byService = Map.groupBy(instances, ([, { definition }]) => definition.service)
  const targetsFor = (route: Either): Target[] => {
    const targets: Target[] = []
    for (const [id, local] of byService.get(route.service) ?? []) {
      if (local.port === null) continue
      const instance = wanted.get(id)
      const active =
        instance?.traffic === 'active' && route.releases.includes(instance.release) && local.serves && !desired.drained
      targets.push({ instance: id, port: local.port, state: active ? 'active' : 'draining' })
    }
    return targets
  }
  const peersFor = (route: Either): Peer[] =>
    desired.peers
      .filter(({ machine }) => route.forwardTo.includes(machine))
      .map(({ machine, host, forwardPort }) => ({ machine, host, port: forwardPort }))
  const all: Either[] = [...desired.routes, ...desired.localRoutes]
  const byPort = Map.groupBy(all, ({ match }) => (match.kind === 'http' ? null : match.port))
  const ownPort = (route: Either): OwnPort | null => {
    const { match, service } = route
    if (match.kind === 'http') return null
    const [plain, full] = [`${match.port}`, `${service}/${match.port}`]
    const isAlone = byPort.get(match.port)?.length === 1
    const port = match.port + tcpOffset
    const loopback = match.address
    if (match.kind === 'tcp') return { public: true, loopback, port, name: plain, also: [full] }
    return { public: false, loopback, port, name: full, also: isAlone && match.carries === 'tcp' ? [plain] : [] }
  }
  return {
    position: desired.position,
    machine: desired.machine,
    routes: all.map((route): PlannedRoute => {
      const { service, match, holdMs, idleMs, bodyBytes } = route
      const base = { service, targets: targetsFor(route), peers: peersFor(route), holdMs, idleMs }
      const own = ownPort(route)
      if (own !== null && (match.kind === 'tcp' || (match.kind === 'local' && match.carries === 'tcp')))
        return { ...base, kind: 'tcp', own }
      const [host, path] = match.kind === 'http' ? [match.host, match.path] : [null, '/']
      return { ...base, kind: 'http', host, path, bodyBytes, own }
    }),
  }
}

type Either = DesiredRoute | LocalRoute
