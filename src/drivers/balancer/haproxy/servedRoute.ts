import { isIPv4 } from 'node:net'
import { ownPortInWords } from '../ownPorts.ts'
import type { OwnPort, Peer, PlannedRoute, RoutingPlan, Target, Unserved } from '../balancer.ts'

/** One route of a plan with the names of its parts in the configuration. */
export interface ServedRoute {
  planned: PlannedRoute
  /** For work of clients: local instances first, then peers. */
  backend: string
  /** For work of other machines: local instances only. */
  forwarded: string
  /** The frontend for clients: `entry`, `tcp_5672`, `local_redis_6379`. */
  frontend: string
  /** Name of the route among machines: the ALPN protocol of their TLS connections. */
  wanted: string
  /** All names that machines may use for the route. */
  answersTo: string[]
}

export interface Readable {
  routes: ServedRoute[]
  unserved: Unserved[]
}

const instanceId = /^[a-z0-9][a-z0-9-]{0,199}$/
const name = /^[a-z][a-z0-9-]{0,62}$/
const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$|^\[[0-9a-f:.]{2,45}\]$/
const requestPath = /^\/[!-~]*$/
const address = /^[A-Za-z0-9]([A-Za-z0-9._:-]{0,252}[A-Za-z0-9])?$|^[0-9a-f:.]{2,45}$/

/**
 * Separates the routes that can be written into HAProxy's configuration from those that cannot: no text passes that
 * could end a line, a word or a command of the configuration. A service with such a route is not served and is
 * reported; the others are served.
 */
export function readable(plan: RoutingPlan): Readable {
  const wrong = new Map<string, string>()
  for (const route of plan.routes) {
    const why = unreadable(route)
    if (why !== null && !wrong.has(route.service)) wrong.set(route.service, why)
  }
  const routes = plan.routes.filter(({ service }) => !wrong.has(service)).toSorted(byServiceAndAddress)
  const unserved = [...wrong].map(([service, why]) => ({
    service,
    reason: `the routes of ${printable(service)} cannot be written for HAProxy: ${why}; correct the definition`,
  }))
  return { routes: named(routes), unserved }
}

/**
 * Backends are numbered from the second route of a service on: most services have one, and its backend has only their
 * name.
 */
function named(routes: PlannedRoute[]): ServedRoute[] {
  const counts = new Map<string, number>()
  return routes.map((planned) => {
    const count = (counts.get(planned.service) ?? 0) + 1
    counts.set(planned.service, count)
    const suffix = count === 1 ? planned.service : `${planned.service}_${count}`
    const [wanted = '', ...also] = names(planned)
    const known = { backend: `svc_${suffix}`, forwarded: `fwd_${suffix}`, frontend: frontendOf(planned) }
    return { planned, ...known, wanted, answersTo: [wanted, ...also] }
  })
}

function names({ kind, service, own }: PlannedRoute): string[] {
  const all = own === null ? [service] : [own.name, ...own.also]
  return all.map((name) => `tandem/${kind}/${name}`)
}

function frontendOf({ service, own }: PlannedRoute): string {
  if (own === null) return 'entry'
  return own.public ? `tcp_${own.port}` : `local_${service}_${own.port}`
}

/** The addresses of the listener; `host`: the address of the entry. */
export const addressesOf = ({ public: isPublic, loopback }: OwnPort, host: string): string[] => [
  ...(isPublic ? [host] : []),
  ...(loopback === null ? [] : [loopback]),
]

/** The port, if this is the frontend of a route with its own port. */
export function ownPortOf(frontend: string): number | null {
  const port = /^(?:tcp|local_[a-z0-9-]+)_(\d+)$/.exec(frontend)?.[1]
  return port === undefined ? null : Number(port)
}

function unreadable(route: PlannedRoute): string | null {
  if (!name.test(route.service)) return 'the name of the service has characters other than letters, digits and hyphens'
  if (route.kind === 'http') {
    if (route.host !== null && !hostName.test(route.host)) return `${printable(route.host)} is not a host name`
    if (!requestPath.test(route.path)) return `${printable(route.path)} is not a path of printable ASCII characters`
  }
  if (route.own !== null && !isOwnPort(route.own)) return `${printable(ownPortInWords(route.own))} is not a valid port`
  return route.targets.map(unreadableTarget).find(isText) ?? route.peers.map(unreadablePeer).find(isText) ?? null
}

function unreadableTarget({ instance, port }: Target): string | null {
  if (!instanceId.test(instance)) return `${printable(instance)} is not a valid instance id`
  return isPort(port) ? null : `${port} is not a valid port for ${instance}`
}

function unreadablePeer({ machine, host, port }: Peer): string | null {
  if (!name.test(machine)) return `${printable(machine)} is not a valid machine name`
  if (!address.test(host)) return `${printable(host)} is not a valid address for ${machine}`
  return isPort(port) ? null : `${port} is not a valid port for ${machine}`
}

const isOwnPort = (own: OwnPort): boolean =>
  isPort(own.port) &&
  (own.loopback === null ? own.public : isIPv4(own.loopback) && own.loopback.startsWith('127.')) &&
  [own.name, ...own.also].every((one) => /^([a-z][a-z0-9-]{0,62}\/)?\d{1,5}$/.test(one))

const isText = (value: string | null): value is string => value !== null
const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535
const printable = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)

function byServiceAndAddress(a: PlannedRoute, b: PlannedRoute): number {
  return compare(a.service, b.service) || compare(addressOf(a), addressOf(b))
}

/** The address that distinguishes the routes of a service. */
export const addressOf = (route: PlannedRoute): string =>
  route.kind === 'http' && route.own === null
    ? `http ${route.host ?? ''} ${route.path}`
    : `port ${String(route.own?.port).padStart(5, '0')}`

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
