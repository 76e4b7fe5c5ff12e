import type { MachineStatus, Status } from '../../api/views.ts'
import { isLoopbackAddress } from '../../lib/localHost.ts'
import { inOneLine, type StandingProblem } from '../../api/standingProblem.ts'
import { problemsOf } from '../../problems/problemsOf.ts'
import { showAge, showSeconds } from '../duration.ts'
import type { Paint } from '../paint.ts'
import { accessLines } from './access.ts'
import { featureLines, featureMachineLines, featureSections, featureServiceLines } from '../features.ts'
import { count } from './names.ts'
import { shortId } from '../../definitions/names.ts'
import { whatIsRolled } from './rolloutTitle.ts'
import { renderTable } from './table.ts'
import { seen } from './seen.ts'

type ServiceStatus = Status['services'][number]
type Instance = ServiceStatus['instances'][number]

interface StatusOptions {
  now: number
  paint: Paint
  /** True to show the whole cluster; false to show one service without the machines. */
  whole: boolean
  /** True for a status of the past: columns that the event log does not hold are left out. */
  isPast?: boolean
  /** Default: what the status itself tells. */
  wrong?: readonly StandingProblem[]
}

/** The whole state on one screen, with the problems first. */
export function renderStatus(
  status: Status,
  { now, paint, whole, isPast = false, wrong = problemsOf(status) }: StatusOptions,
): string {
  const problems = wrong.map((problem) => `${paint('red', '!')} ${isPast ? problem.text : inOneLine(problem)}`)
  const sections = [
    [headline(status, paint), ...problems, ...featureLines(status, paint)],
    ...(whole
      ? [
          [...machineLines(status.machines, now, paint, isPast), ...featureMachineLines(status, now, paint)],
          ...featureSections(status, now, paint),
        ]
      : []),
    ...status.services.map((service) => serviceLines(service, { now, paint, isPast })),
    ...(status.services.length === 0 ? [['no services yet; tandem push DIR creates one']] : []),
    limitLines(status.machines, paint),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function headline({ cluster, controller, machines, services }: Status, paint: Paint): string {
  const ready = machines.filter(({ state }) => state === 'ready').length
  const parts = [
    `${ready} of ${count(machines.length, 'machine')} ready`,
    count(services.length, 'service'),
    `controller ${controller.version}, term ${controller.term}, position ${controller.position}`,
  ]
  return `${paint('bold', cluster)}  ${parts.join(paint('dim', ' · '))}`
}

export function machineLines(machines: readonly MachineStatus[], now: number, paint: Paint, isPast = false): string[] {
  const rows = machines.map((machine) => [
    machine.name,
    machineState(machine.state, paint),
    ...(isPast ? [] : [seen(machine.lastSeen, now)]),
    `http://${machine.host}:${machine.httpPort}`,
    metricsAt(machine),
    ...(isPast ? [] : [machine.version ?? '-']),
  ])
  const head = isPast
    ? ['MACHINE', 'STATE', 'ENTRY', 'METRICS']
    : ['MACHINE', 'STATE', 'SEEN', 'ENTRY', 'METRICS', 'VERSION']
  return rows.length === 0 ? [] : renderTable(head, rows, paint)
}

/** Agents serve metrics only on loopback. For another machine, this adds the name of the machine. */
function metricsAt({ name, host, metricsPort }: MachineStatus): string {
  const address = `127.0.0.1:${metricsPort}`
  return isLoopbackAddress(host) ? address : `${address} on ${name}`
}

function serviceLines(
  service: ServiceStatus,
  { now, paint, isPast }: { now: number; paint: Paint; isPast: boolean },
): string[] {
  const release = service.release === null ? 'no release' : shortId(service.release)
  const state = service.state === 'stopped' ? `  ${paint('yellow', 'stopped')}` : ''
  const routes = service.routes.length > 0 ? `  ${paint('dim', service.routes.join(' '))}` : ''
  const lines = [`${paint('bold', service.service)}  ${release}${state}${routes}`]
  if (service.rollout) lines.push(`  ${rolling(service.rollout, now, paint)}`)
  lines.push(...accessLines(service, paint))
  lines.push(...featureServiceLines(service, paint))
  const rows = service.instances.map((instance) => [
    `  ${instance.id}`,
    instance.machine,
    shortId(instance.release),
    instance.stale ? paint('dim', `was ${instance.state}`) : instanceState(instance.state, paint),
    ...(isPast ? [] : reportedCells(instance, now, paint)),
  ])
  const reported = isPast ? [] : ['PORT', 'SINCE', 'RESTARTS', 'WORK']
  const head = ['  INSTANCE', 'MACHINE', 'RELEASE', 'STATE', ...reported]
  return rows.length === 0 ? lines : [...lines, ...renderTable(head, rows, paint), ...staleLines(service, now, paint)]
}

/** The cells that only the machine's report fills. */
const reportedCells = ({ port, since, restarts, work, stale }: Instance, now: number, paint: Paint): string[] => [
  port === null ? '-' : String(port),
  showAge(since, now),
  String(restarts),
  stale ? paint('dim', `was ${work}`) : String(work),
]

/** Explains stale instances: a machine that does not report may still serve. */
function staleLines({ instances }: ServiceStatus, now: number, paint: Paint): string[] {
  const byMachine = Map.groupBy(
    instances.filter(({ stale }) => stale),
    ({ machine }) => machine,
  )
  return [...byMachine].map(([machine, [first]]) => {
    const when = first?.asOf ? `: ${showAge(first.asOf, now)} ago` : ', before the controller started'
    return paint('dim', `  ${machine} does not report; its instances are shown as last seen${when}`)
  })
}

function rolling(rollout: NonNullable<ServiceStatus['rollout']>, now: number, paint: Paint): string {
  const since = showSeconds(now - Date.parse(rollout.startedAt))
  const machines = rollout.machines.map(({ machine, state, phases }) => {
    const phase = phases.findLast(({ finishedAt }) => finishedAt === null)?.phase
    return `${machine} ${phase ?? state}`
  })
  const colour = rollout.state === 'reverting' ? 'yellow' : 'cyan'
  return `${paint(colour, rollout.state)} ${whatIsRolled(rollout)} for ${since} (${machines.join(', ')}); rollout ${rollout.id}`
}

/** Shows limits dimmed, once for all machines: on most laptops no limit is enforced, and that is no problem. */
function limitLines(machines: readonly MachineStatus[], paint: Paint): string[] {
  const byText = Map.groupBy(
    machines.filter(({ limits }) => limits !== null),
    ({ limits }) => limits ?? '',
  )
  return [...byText].map(([text, on]) => paint('dim', `limits on ${on.map(({ name }) => name).join(', ')}: ${text}`))
}

export function machineState(state: MachineStatus['state'], paint: Paint): string {
  switch (state) {
    case 'ready':
      return paint('green', state)
    case 'draining':
    case 'drained':
      return paint('yellow', state)
    case 'lost':
      return paint('red', state)
  }
}

function instanceState(state: ServiceStatus['instances'][number]['state'], paint: Paint): string {
  switch (state) {
    case 'ready':
      return paint('green', state)
    case 'starting':
      return paint('cyan', state)
    case 'draining':
      return paint('yellow', state)
    case 'stopped':
      return paint('dim', state)
    case 'failed':
      return paint('red', state)
  }
}
