import type { Listen, PortRoute, Route } from './definition.ts'
import type { WrittenRoute } from './definitionShape.ts'
import type { Path, YamlSource } from './yamlSource.ts'

/**
 * Checks the routes at `path` against the service's `listen`, and reads them. Returns `null` when none are written, and
 * for a worker.
 */
export function checkRoutes(
  written: WrittenRoute[] | null,
  listen: Listen,
  path: Path,
  source: YamlSource,
): Route[] | null {
  if (written === null || !source.isSound(['listen'])) return null
  if (listen === 'none') {
    if (written.length > 0) source.problem(path, 'a worker (`listen: none`) takes no routes')
    return null
  }
  if (written.length === 0) source.problem(path, emptyMessage(listen))
  const firsts = new Map<string, number>()
  return written.map((route, index) => {
    const at = [...path, index]
    const read = listen === 'http' ? httpRoute(route, at, source) : tcpRoute(route, at, source)
    const first = firsts.get(describeRoute(read))
    if (first === undefined) firsts.set(describeRoute(read), index)
    else if (source.isSound(at)) {
      source.problem(
        at,
        `the route ${describeRoute(read)} occurs twice, first on line ${source.lineOf([...path, first])}`,
      )
    }
    return read
  })
}

/** A route in words: `shop.example.com/api`, `any host /`, `port 5672`. */
function describeRoute(route: Route): string {
  if ('port' in route) return `port ${route.port}`
  return route.host === null ? `any host ${route.path}` : `${route.host}${route.path}`
}

function httpRoute(route: WrittenRoute, at: Path, source: YamlSource): Route {
  if (route.expose === 'local') return localHttpRoute(route, at, source)
  if (route.port !== null) {
    const message = 'a route with a port needs `listen: tcp` or `expose: local`; this service listens http'
    source.problem([...at, 'port'], message)
  } else if (route.host === null && route.path === null && source.isSound(at)) {
    source.problem(at, 'a route needs a host, a path, or both')
  }
  return { host: route.host, path: route.path ?? '/' }
}

/** Every request to the service's own address belongs to the service: there is nothing to select by. */
function localHttpRoute(route: WrittenRoute, at: Path, source: YamlSource): PortRoute {
  for (const key of ['host', 'path'] as const) {
    if (route[key] === null) continue
    const message = `a local http route has only a port: it does not answer at the entry; only public routes have \`${key}\``
    source.problem([...at, key], message)
  }
  if (route.port === null && source.isSound(at)) {
    source.problem(at, 'a local http route needs a port, such as { port: 8080, expose: local }')
  }
  return { port: route.port ?? 0, expose: 'local' }
}

function tcpRoute(route: WrittenRoute, at: Path, source: YamlSource): PortRoute {
  for (const key of ['host', 'path'] as const) {
    if (route[key] !== null) {
      source.problem([...at, key], `a tcp route has only a port; \`${key}\` needs \`listen: http\``)
    }
  }
  if (route.port === null && source.isSound(at)) source.problem(at, 'a tcp route needs a port, such as { port: 5672 }')
  const port = route.port ?? 0
  return route.expose === null ? { port, expose: 'local', byDefault: true } : { port, expose: route.expose }
}

function emptyMessage(listen: Listen): string {
  if (listen === 'tcp') return '`listen: tcp` needs a route, such as { port: 5672 }'
  return 'the list of routes is empty; leave `routes` out for any host and path `/`, or write `listen: none`'
}
