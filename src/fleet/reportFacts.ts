import type { Event } from '../events/event.ts'
import type { Endpoints } from '../events/fleetEvents.ts'
import type { Report } from '../protocol/report.ts'
import type { ReportedInstance } from '../protocol/services.ts'
import { isBroken } from './serving.ts'
import type { FleetState, Instance } from './state.ts'

/**
 * The facts in a report that the log does not know yet. Only transitions: a report that repeats known facts yields
 * nothing.
 */
export function reportFacts(state: FleetState, report: Report): Event[] {
  const { machine } = report
  const mark = { boot: report.boot, seq: report.seq }
  const events: Event[] = []
  const known = state.machines[machine]
  if (!known) events.push({ type: 'MachineJoined', data: { machine, endpoints: report.endpoints } })
  else if (!sameEndpoints(known.endpoints, report.endpoints)) {
    events.push({ type: 'MachineMoved', data: { machine, endpoints: report.endpoints } })
  }
  if (known?.lost) events.push({ type: 'MachineReturned', data: { machine, mark } })

  const seen = new Map(report.instances.map((one) => [one.id, one]))
  for (const instance of Object.values(state.instances).filter((one) => one.machine === machine)) {
    events.push(...instanceFacts(instance, seen.get(instance.id), report))
  }
  return events
}

function instanceFacts(instance: Instance, seen: ReportedInstance | undefined, report: Report): Event[] {
  const about = {
    instance: instance.id,
    machine: instance.machine,
    mark: { boot: report.boot, seq: report.seq },
  }
  if (instance.state === 'stopping') {
    const gone = seen === undefined || seen.state === 'stopped'
    const answered = report.applied.supervisor >= (instance.stopAsked ?? 0)
    return gone && answered ? [{ type: 'InstanceStopped', data: about }] : []
  }
  if (instance.state === 'ready' && isInterrupted(seen)) {
    return [{ type: 'InstanceFailed', data: { ...about, reason: 'its machine is restarting it', interrupted: true } }]
  }
  if (!seen) return []
  const events: Event[] = []
  if (!instance.started && seen.pid !== null) {
    events.push({ type: 'InstanceStarted', data: { ...about, port: seen.port } })
  }
  const well = (seen.state === 'ready' || seen.state === 'draining') && !seen.unstable
  if (instance.state === 'starting' && well) {
    events.push({ type: 'InstanceReady', data: { ...about, port: seen.port } })
  } else if (!isBroken(instance) && hasFailed(instance, seen)) {
    events.push({ type: 'InstanceFailed', data: { ...about, reason: seen.reason ?? 'ended before it was ready' } })
  } else if (instance.state === 'failed' && well) {
    events.push({ type: 'InstanceRecovered', data: about })
  }
  return events
}

/** An agent may report `starting` again for an instance that ended before it was ready. */
const hasFailed = (instance: Instance, seen: ReportedInstance): boolean =>
  seen.state === 'failed' ||
  seen.unstable ||
  (instance.state === 'starting' && seen.restarts > 0 && seen.state === 'starting')

/**
 * The instance was ready and now is missing, or starts again, without a failure: its machine or its agent restarted.
 */
const isInterrupted = (seen: ReportedInstance | undefined): boolean =>
  seen === undefined || (!seen.unstable && (seen.state === 'starting' || seen.state === 'stopped'))

const sameEndpoints = (a: Endpoints, b: Endpoints): boolean =>
  a.host === b.host && a.http === b.http && a.forward === b.forward && a.metrics === b.metrics
