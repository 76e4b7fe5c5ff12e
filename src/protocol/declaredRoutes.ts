import type { Definition, PortRoute, Route } from '../definitions/definition.ts'

/*
 * Agents from before `expose` take a definition with that key for none at all, and with it the whole desired state. So
 * definitions travel as those agents know them, and the routes as they were written travel beside them.
 */

/** The definition as an agent from before `expose` knows it. Nothing is routed by its routes: `routes` of the desired state says that. */
export function withoutExposure(definition: Definition): Definition {
  if (!(definition.routes ?? []).some(saysExposure)) return definition
  const known = (definition.routes ?? []).flatMap((route): Route[] => {
    if (!('port' in route)) return [route]
    return definition.listen === 'tcp' ? [{ port: route.port }] : []
  })
  return { ...definition, routes: known.length > 0 ? known : null }
}

/** The routes that `withoutExposure` leaves something out of; `null`: it leaves out nothing. */
export function declaredRoutes({ routes }: Definition): Route[] | null {
  return routes?.some(saysExposure) ? routes : null
}

/** The definition as it was published. */
export const asDeclared = (definition: Definition, declared: Route[] | undefined): Definition =>
  declared === undefined ? definition : { ...definition, routes: declared }

/** Ports that a release says nothing about: it was published before there was `expose`. */
export const saysNothing = (route: Route): route is PortRoute => 'port' in route && route.expose === undefined

/** What `status`, `doctor` and the commands that roll it out say of such a port. */
export const unsaidInWords = (service: string, port: number): string =>
  `${service}: tcp port ${port} is open to everybody, and its release does not say so`
export const unsaidNext = 'write expose: local or expose: public beside it in its tandem.yaml, and push'

const saysExposure = (route: Route): boolean => 'port' in route && route.expose !== undefined
