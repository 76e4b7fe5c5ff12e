import type { Moment } from '../decision/moment.ts'
import { noSuchService } from '../decision/knownServices.ts'
import { accepted, refuse, type Decision, type Refusal } from '../decision/refuse.ts'
import type { AccessKind } from '../events/accessEvents.ts'
import { definitionOf, instancesOf, isReachable } from '../fleet/serving.ts'
import type { FleetWorld, Instance } from '../fleet/state.ts'
import { accessAbility } from '../protocol/access.ts'

/** The open ones, by id. */
export interface AccessState {
  accesses: Record<string, Access>
}

export interface Access {
  access: string
  kind: AccessKind
  service: string
  instance: string | null
  machine: string | null
  port: number | null
  /** Milliseconds. */
  at: number
}

export type AccessWorld = FleetWorld & AccessState & { services: Readonly<Record<string, unknown>> }

export interface OpenAccess {
  type: 'OpenAccess'
  access: string
  kind: AccessKind
  service: string
  /** `null`: the controller chooses one, and a forward chooses one for each connection. */
  instance: string | null
  command: string | null
  port: number | null
}

/** More than a team has open; each is a process on a machine, and an entry in every snapshot of the state. */
const mostOpen = 100

export function openAccess(world: AccessWorld, asked: OpenAccess, moment: Moment): Decision {
  const { access, kind, service, command, port } = asked
  const found = placeOf(world, asked)
  if (found.type === 'refused') return found
  const refusal =
    refuseTooMany(world) ?? refuseUnable(found.instance, moment) ?? refusePort(world, found.instance, asked)
  if (refusal) return refusal
  const isBound = kind !== 'forward' || asked.instance !== null
  const place = isBound ? { instance: found.instance.id, machine: found.instance.machine } : unbound
  return accepted({ type: 'AccessStarted', data: { access, kind, service, ...place, command, port } })
}

const unbound = { instance: null, machine: null }

/** The instance that was named, else the one that is in the best state. */
export function placeOf(
  world: AccessWorld,
  { service, instance: id }: Pick<OpenAccess, 'service' | 'instance'>,
): { type: 'place'; instance: Instance } | Refusal {
  const all = instancesOf(world, service)
  if (!world.services[service] && all.length === 0) {
    return noSuchService(world, service)
  }
  const meant = id === null ? all : all.filter((one) => one.id === id)
  const running = meant.filter(({ state, started }) => started && state !== 'stopping')
  const [best] = running
    .filter(({ machine }) => isReachable(world, machine))
    .toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
  if (best) return { type: 'place', instance: best }
  const [away] = running
  if (away) {
    const message = `machine ${away.machine}, which runs ${away.id}, does not report`
    return refuse('E_MACHINE_LOST', message, away.id, 'tandem machines   shows when it last reported')
  }
  const message = id === null ? `no instance of ${service} runs` : `instance ${id} of ${service} does not run`
  return refuse('E_INSTANCE_STOPPED', message, id ?? service, `tandem status ${service}`)
}

const rank = ({ state, traffic }: Instance): number =>
  state === 'ready' ? (traffic === 'active' ? 0 : 1) : state === 'starting' ? 2 : 3

function refuseTooMany({ accesses }: AccessWorld): Refusal | null {
  if (Object.keys(accesses).length < mostOpen) return null
  const message = `${mostOpen} shells, commands and forwards are open, and no more may be`
  return refuse('E_TOO_MANY_ACCESSES', message, 'access', 'tandem events   shows who opened them; close some')
}

function refuseUnable({ machine }: Instance, { observed }: Moment): Refusal | null {
  const report = observed[machine]?.report
  if (!report || report.abilities.includes(accessAbility.name)) return null
  const message = `machine ${machine} runs Tandem ${report.version}, which cannot ${accessAbility.words}`
  return refuse('E_NO_ABILITY', message, machine, 'tandem upgrade ARCHIVE, then try again')
}

/** A forward to a service needs a port that its definition or its instance can have. */
function refusePort(world: AccessWorld, instance: Instance, { port }: OpenAccess): Refusal | null {
  if (port === null || targetPort(world, instance, port) !== null) return null
  const message = `instance ${instance.id} has no port yet`
  return refuse('E_INSTANCE_STOPPED', message, instance.id, `tandem status ${instance.service}`)
}

/** http services are known by this port inside a cluster. */
const httpPort = 80

/**
 * The port on the instance's machine that `port` means: where others reach the service by it, the instance's own PORT;
 * otherwise a port that the instance itself opened. `null`: the instance has no port yet.
 */
export function targetPort(world: FleetWorld, { release, port: own }: Instance, port: number): number | null {
  const { listen, routes } = definitionOf(world, release)
  const isKnownBy =
    listen === 'http'
      ? port === httpPort
      : listen === 'tcp' && routes?.some((route) => 'port' in route && route.port === port)
  return isKnownBy ? own : port
}
