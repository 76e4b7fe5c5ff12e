import { instancesOf } from '../fleet/serving.ts'
import { remembered } from '../lib/remembered.ts'
import type { MachineStatus, Status } from '../api/views.ts'
import { isServiceCall } from '../definitions/calls.ts'
import { callsOf } from '../definitions/features.ts'
import type { ResolvedRoute } from '../events/rolloutEvents.ts'
import type { Report } from '../protocol/report.ts'
import type { ReportedInstance } from '../protocol/services.ts'
import { unsaidPorts } from '../rollout/openPorts.ts'
import { definitionNow } from '../rollout/serviceView.ts'
import type { World as State } from '../decider/rooms.ts'
import { unableTo } from '../decider/unable.ts'
import type { Instance, Machine } from '../fleet/state.ts'
import type { Service } from '../rollout/state.ts'
import type { Controller } from './controller.ts'
import { featureLimits, featureServiceViews, featureViews } from './features.ts'
import type { Rooms } from './handlers.ts'
import { withNext } from './whyUnwritable.ts'

/** The status, with the reasons why the controller refuses changes or pushes now. */
export const wholeStatus = ({ controller, releases: { depot }, unwritable, waiting }: Reasons): Status =>
  statusView(controller, [
    ...[waiting(), unwritable()].flatMap((why) => why ?? []),
    ...(depot.atCap ? [`the last push was refused: ${withNext(depot.atCap)}`] : []),
  ])

type Reasons = Pick<Rooms, 'controller' | 'unwritable' | 'waiting'> & {
  releases: { depot: Pick<Rooms['releases']['depot'], 'atCap'> }
}

/** The parts of a controller that its status shows. */
export type Viewed = Pick<Controller, 'state' | 'config' | 'version' | 'history' | 'observed'>

/** Services, machines and instances: the decided state, overlaid with the newest reports of the machines. */
export function statusView(controller: Viewed, problems: string[] = []): Status {
  const { state, config, version, history } = controller
  return {
    cluster: config.cluster,
    controller: { version, term: state.terms.at(-1)?.term ?? 0, position: state.position, problems },
    machines: sortedBy(Object.values(state.machines), ({ name }) => name).map((machine) =>
      machineView(controller, machine),
    ),
    absent: Object.keys(state.cluster?.machines ?? {}).filter((name) => !Object.hasOwn(state.machines, name)),
    ...featureViews(controller),
    services: sortedBy(Object.values(state.services), ({ name }) => name).map((service) => ({
      service: service.name,
      release: service.current?.release ?? null,
      state: service.stopped ? 'stopped' : 'running',
      routes: routesOf(controller, service),
      access: accessOf(controller, service),
      uses: callsOf(definitionNow(state, service.name) ?? {})
        .filter(isServiceCall)
        .map(({ service: name, optional = false }) => ({ service: name, optional })),
      ...featureServiceViews(state, service),
      behind: [...new Set([...service.behind, ...service.leftAlone])],
      rollout: service.rollout ? (history.get(service.rollout) ?? null) : null,
      instances: sortedBy(instancesOf(state, service.name), ({ machine }) => machine).map((instance) =>
        instanceView(controller, instance),
      ),
    })),
  }
}

/** Sorts by name, not in the order in which machines happened to join; equal names keep their order. */
const sortedBy = <T>(all: readonly T[], nameOf: (one: T) => string): T[] =>
  all.toSorted((a, b) => (nameOf(a) === nameOf(b) ? 0 : nameOf(a) < nameOf(b) ? -1 : 1))

/** A machine that came back, or joined, may run an older Tandem than a change needs. */
const inabilities = (state: State, report: Report): string[] =>
  unableTo(state, report).map(
    (words) => `the machine runs Tandem ${report.version}, which cannot ${words}: run tandem upgrade ARCHIVE`,
  )

export function machineView({ observed, state }: Viewed, machine: Machine): MachineStatus {
  const seen = observed[machine.name]
  const report = seen?.report
  const { memory = true, cpu = true, tasks = true, why = null } = report?.limits ?? {}
  const traffic = machine.traffic === 'unforwarding' ? 'draining' : machine.traffic
  const missing = Object.entries({ memory, cpu, tasks }).flatMap(([limit, enforced]) => (enforced ? [] : [limit]))
  const limits = [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} not enforced${why ? `: ${why}` : ''}`]),
    ...featureLimits({ state }),
  ]
  return {
    name: machine.name,
    state: machine.lost ? 'lost' : traffic,
    traffic,
    lastSeen: seen ? new Date(seen.at).toISOString() : null,
    host: machine.endpoints.host,
    httpPort: machine.endpoints.http,
    metricsPort: machine.endpoints.metrics,
    metricsAddress: `127.0.0.1:${machine.endpoints.metrics}`,
    version: report?.version ?? null,
    limits: limits.length === 0 ? null : limits.join('; '),
    problems: [
      ...(report?.problems ?? []),
      ...(report?.refused ? [report.refused.message] : []),
      ...(report ? inabilities(state, report) : []),
    ],
  }
}

const currentRoutes = (state: State, { current }: Service): ResolvedRoute[] =>
  current ? (state.generations[current.generation]?.routes ?? []) : []

function routesOf({ state }: Pick<Viewed, 'state'>, service: Service): string[] {
  return currentRoutes(state, service).map((route) =>
    route.kind === 'http' ? `${route.host ?? '*'}${route.path}` : `:${route.port}`,
  )
}

/** Who may reach each route of the service, and the address of each route that has its own port. */
function accessOf({ state }: Pick<Viewed, 'state'>, service: Service): Status['services'][number]['access'] {
  const unsaid = unsaidPorts(state, service)
  return currentRoutes(state, service).map((one) => {
    if (one.kind === 'http') {
      const route = `${one.host ?? '*'}${one.path}`
      return { route, expose: 'public', carries: 'http', port: null, address: null, unsaid: false }
    }
    const { port } = one
    const at = { route: `:${port}`, port }
    return one.kind === 'tcp'
      ? { ...at, expose: 'public', carries: 'tcp', address: null, unsaid: unsaid.includes(port) }
      : { ...at, expose: 'local', carries: one.carries, address: one.address, unsaid: false }
  })
}

const reportedById = remembered(
  (instances: readonly ReportedInstance[]) => new Map(instances.map((instance) => [instance.id, instance])),
)

function instanceView(controller: Viewed, instance: Instance): Status['services'][number]['instances'][number] {
  const heard = controller.observed[instance.machine]
  const seen = heard && reportedById(heard.report.instances).get(instance.id)
  const stale = !heard || controller.state.machines[instance.machine]?.lost === true
  return {
    id: instance.id,
    machine: instance.machine,
    release: instance.release,
    state: instanceState(instance, seen),
    port: seen?.port ?? instance.port,
    since: seen?.since ?? null,
    pid: seen?.pid ?? null,
    restarts: seen?.restarts ?? 0,
    reason: seen?.reason ?? instance.reason,
    work: seen?.work ?? 0,
    stale,
    asOf: stale && heard ? new Date(heard.at).toISOString() : null,
  }
}

function instanceState(instance: Instance, seen: ReportedInstance | undefined): ReportedInstance['state'] {
  if (seen) return seen.state
  return instance.state === 'stopping' ? 'draining' : instance.state
}
