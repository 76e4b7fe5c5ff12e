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
  /** Frontends that HAProxy already has. */
  frontends: ReadonlySet<string>
  host: string
  /** Ports of the entry. */
  entryPorts: readonly number[]
  /** The routes accepted before, by service: they stay in force if the new routes are refused. */
  before: Map<string, PlannedRoute[]>
  refusal: (routes: ServedRoute[]) => Promise<string | null>
}

/**
 * Removes the routes that HAProxy could not serve (ports in use, routes that HAProxy refuses), so that a problem of one
 * service does not delay other services.
 */
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
    reason: `HAProxy refuses the routes of ${service} (${reason}): correct them in its definition. The routes from before stay in force`,
  }))
  return { routes, unserved: [...unserved, ...told] }
}

/** HAProxy can serve no route of this plan; the running configuration stays in force. */
function refused(why: string): OperatorError {
  return new OperatorError(
    'E_BALANCER_REFUSES',
    `HAProxy refuses the new configuration; the configuration from before stays in force: ${why}`,
    {
      next: 'correct the named certificate or port, or report this as a bug; `haproxy -c -f` shows the same message',
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

/** The routes that a refused service had, with its current instances and peers. */
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

/** Renames the routes: the names depend on the routes of the plan. */
function renamed(routes: ServedRoute[]): ServedRoute[] {
  const unique = new Map(routes.map(({ planned }) => [`${planned.service} ${addressOf(planned)}`, planned]))
  return readable(planOf([...unique.values()])).routes
}

async function takenPorts({ routes, frontends, host, entryPorts }: Asked): Promise<Map<ServedRoute, string>> {
  const taken = new Map<ServedRoute, string>()
  for (const route of routes) {
    const { own } = route.planned
    if (own === null || frontends.has(route.frontend)) continue
    const addresses = addressesOf(own, host)
    // A process that listens at one address blocks the port at all addresses.
    for (const address of addresses.some(isAnyAddress) ? [host] : addresses) {
      const why = await cannotListen(address, own.port)
      if (why !== null && !(await isInItsOwnWay(address, own.port, { frontends, entryPorts }))) taken.set(route, why)
    }
  }
  return taken
}

/**
 * Whether only HAProxy itself listens there, at one address instead of all, or the reverse. A new worker listens beside
 * the old worker (SO_REUSEPORT), so a change of `expose` closes nothing meanwhile.
 */
async function isInItsOwnWay(
  address: string,
  port: number,
  { frontends, entryPorts }: Pick<Asked, 'frontends' | 'entryPorts'>,
): Promise<boolean> {
  const own = [...frontends].filter((frontend) => ownPortOf(frontend) === port)
  const found = (await listenedOnAt(port)).filter((one) => overlap(one, address))
  if (found.some(isAnyAddress)) return own.includes(`tcp_${port}`) || entryPorts.includes(port)
  return isAnyAddress(address) && found.length <= own.length
}

const overlap = (a: string, b: string): boolean => a === b || isAnyAddress(a) || isAnyAddress(b)

/** `null`: HAProxy can listen on the port. */
export function cannotListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(whyNot(error, host, port)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/**
 * HAProxy may use ports below 1024, but this process may not, so it sees only from outside whether such a port is in
 * use.
 */
async function whyNot(error: NodeJS.ErrnoException, host: string, port: number): Promise<string | null> {
  if (error.code !== 'EACCES') return error.message
  return (await listenedOnAt(port)).some((one) => overlap(one, host)) ? 'another process listens on the port' : null
}
