import { createServer } from 'node:net'
import { isAnyAddress } from '../../../lib/procNet.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import { listenedOnAt } from '../../supervisor/process/sockets.ts'
import type { PlannedRoute, Unserved } from '../balancer.ts'
import { cannotListenAt } from '../ownPorts.ts'
import { addressesOf, addressOf, ownPortOf, readable, type ServedRoute } from './servedRoute.ts'

export interface Acceptable {
  routes: ServedRoute[]
  unserved: Unserved[]
}

interface Asked {
  routes: ServedRoute[]
  /** Frontends that HAProxy has already. */
  frontends: ReadonlySet<string>
  host: string
  /** What was accepted before, by service: it goes on where the new is refused. */
  before: Map<string, PlannedRoute[]>
  refusal: (routes: ServedRoute[]) => Promise<string | null>
}

/** Takes out what HAProxy could not serve, so that one service's trouble holds up no other: ports that are taken, routes it refuses. */
export async function acceptableRoutes(asked: Asked): Promise<Acceptable> {
  const taken = await takenPorts(asked)
  const free = renamed(asked.routes.filter((route) => !taken.has(route)))
  const unserved = [...taken].flatMap(([{ planned }, why]) =>
    planned.own === null ? [] : [cannotListenAt(planned, planned.own, why)],
  )
  const why = await asked.refusal(free)
  if (why === null) return { routes: free, unserved }
  const culprits = await refusedServices(free, asked.refusal)
  if (culprits.size === 0) throw refused(why)
  const routes = renamed(free.flatMap((route) => asBefore(route, culprits, asked.before)))
  const remaining = await asked.refusal(routes)
  if (remaining !== null) throw refused(remaining)
  const told = [...culprits].map(([service, reason]) => ({
    service,
    reason: `HAProxy refuses the routes of ${service} (${reason}); correct them in its definition. What it served before goes on`,
  }))
  return { routes, unserved: [...unserved, ...told] }
}

/** Nothing of this plan can be served; what runs goes on. */
function refused(why: string): OperatorError {
  return new OperatorError(
    'E_BALANCER_REFUSES',
    `HAProxy refuses its configuration, and the one before goes on: ${why}`,
    {
      next: 'correct what it names (a certificate, a port), or report it; `haproxy -c -f` shows it too',
    },
  )
}

async function refusedServices(
  routes: ServedRoute[],
  refusal: (routes: ServedRoute[]) => Promise<string | null>,
): Promise<Map<string, string>> {
  const culprits = new Map<string, string>()
  for (const service of new Set(routes.map(({ planned }) => planned.service))) {
    const why = await refusal(renamed(routes.filter(({ planned }) => planned.service === service)))
    if (why !== null) culprits.set(service, why)
  }
  return culprits
}

/** The routes a refused service had, with the instances and peers it has now. */
function asBefore(
  { planned }: ServedRoute,
  culprits: Map<string, string>,
  before: Map<string, PlannedRoute[]>,
): ServedRoute[] {
  if (!culprits.has(planned.service)) return readable(planOf([planned])).routes
  const { targets, peers, holdMs } = planned
  const old = before.get(planned.service) ?? []
  return readable(planOf(old.map((route) => ({ ...route, targets, peers, holdMs })))).routes
}

const planOf = (routes: PlannedRoute[]): { position: number; machine: string; routes: PlannedRoute[] } => ({
  position: 0,
  machine: '',
  routes,
})

/** Names follow from which routes there are. */
function renamed(routes: ServedRoute[]): ServedRoute[] {
  const unique = new Map(routes.map(({ planned }) => [`${planned.service} ${addressOf(planned)}`, planned]))
  return readable(planOf([...unique.values()])).routes
}

async function takenPorts({ routes, frontends, host }: Asked): Promise<Map<ServedRoute, string>> {
  const taken = new Map<ServedRoute, string>()
  for (const route of routes) {
    const { own } = route.planned
    if (own === null || frontends.has(route.frontend)) continue
    const addresses = addressesOf(own, host)
    // What listens at one address is in the way of all.
    for (const address of addresses.some(isAnyAddress) ? [host] : addresses) {
      const why = await cannotListen(address, own.port)
      if (why !== null && !(await isInItsOwnWay(address, own.port, frontends))) taken.set(route, why)
    }
  }
  return taken
}

/**
 * HAProxy itself is all that listens there, at one address rather than at all, or the other way round: a new worker listens
 * beside the old one (SO_REUSEPORT), so a change of `expose` closes nothing meanwhile.
 */
async function isInItsOwnWay(address: string, port: number, frontends: ReadonlySet<string>): Promise<boolean> {
  const own = [...frontends].filter((frontend) => ownPortOf(frontend) === port)
  const found = (await listenedOnAt(port)).filter((one) => overlap(one, address))
  if (found.some(isAnyAddress)) return own.includes(`tcp_${port}`)
  return isAnyAddress(address) && found.length <= own.length
}

const overlap = (a: string, b: string): boolean => a === b || isAnyAddress(a) || isAnyAddress(b)

/** `null`: it can be listened on, by HAProxy. */
export function cannotListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(whyNot(error, host, port)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/** Ports below 1024 are HAProxy's to use, not this process's: whether one is taken is then only seen from outside. */
async function whyNot(error: NodeJS.ErrnoException, host: string, port: number): Promise<string | null> {
  if (error.code !== 'EACCES') return error.message
  return (await listenedOnAt(port)).some((one) => overlap(one, host)) ? 'something else listens on it' : null
}
