import type { Definition, PortRoute, Route } from '../definitions/definition.ts'

/*
 * Agents from before `expose` reject a definition with that key, and with it the whole desired state. So definitions
 * are sent in the form that those agents know, and the routes as written are sent beside them.
 */

/**
 * The definition in the form that an agent from before `expose` knows. Its routes route nothing: `routes` of the
 * desired state does.
 */
export function withoutExposure(definition: Definition): Definition {
  if (!(definition.routes ?? []).some(saysExposure)) return definition
  const known = (definition.routes ?? []).flatMap((route): Route[] => {
    if (!('port' in route)) return [route]
    return definition.listen === 'tcp' ? [{ port: route.port }] : []
  })
  return { ...definition, routes: known.length > 0 ? known : null }
}

/** The routes as declared, where `withoutExposure` leaves something out of them; `null`: it leaves out nothing. */
export function declaredRoutes({ routes }: Definition): Route[] | null {
  return routes?.some(saysExposure) ? routes : null
}

/** The definition as it was published. */
export const asDeclared = (definition: Definition, declared: Route[] | undefined): Definition =>
  declared === undefined ? definition : { ...definition, routes: declared }

/** Ports for which a release does not say `expose`: it was published before `expose` existed. */
export const saysNothing = (route: Route): route is PortRoute => 'port' in route && route.expose === undefined

/** The text of `status`, `doctor` and the rollout commands about such a port. */
export const unsaidInWords = (service: string, port: number): string =>
  `${service}: tcp port ${port} is open to everybody, but its release does not declare that`
export const unsaidNext = "write expose: local or expose: public beside the port in the service's tandem.yaml, and push"

const saysExposure = (route: Route): boolean => 'port' in route && route.expose !== undefined
