import type { Definition, Exposure, Listen, Route } from './definition.ts'

/** One route, and who may reach it. */
export interface RouteAccess {
  /** The overlay that contains the route; `null`: the route holds where no overlay replaces it. */
  environment: string | null
  /** The route as people write it: `shop.example.com/api`, `any host /`, `http port 8080`, `tcp port 5672`. */
  route: string
  expose: Exposure
  /** The definition does not say `expose`. */
  byDefault: boolean
}

/** A port of a release from before `expose` existed is public. */
export const isLocal = (route: Route): boolean => 'port' in route && route.expose === 'local'

/** Every route of a definition, including those of its overlays, in the written order. */
export function accessOf({ listen, routes, environments }: Definition): RouteAccess[] {
  const defaults: Route[] = listen === 'http' ? [{ host: null, path: '/' }] : []
  return [
    ...(routes ?? defaults).map((route) => access(route, listen, null)),
    ...Object.entries(environments).flatMap(([name, overlay]) =>
      (overlay.routes ?? []).map((route) => access(route, listen, name)),
    ),
  ]
}

function access(route: Route, listen: Listen, environment: string | null): RouteAccess {
  if ('port' in route) {
    const { port, expose = 'public', byDefault = false } = route
    return { environment, route: `${listen} port ${port}`, expose, byDefault }
  }
  const shown = route.host === null ? `any host ${route.path}` : route.host + route.path
  return { environment, route: shown, expose: 'public', byDefault: false }
}
