import type { Event } from '../events/event.ts'
import type { Moment } from './advance.ts'
import { countsFrom } from './countsFrom.ts'
import { limits } from './limits.ts'
import { heardAt, type Observed } from './observed.ts'
import { definitionOf, lastServedBy } from './serviceView.ts'
import type { Machine, State } from './state.ts'
import { silentPeers } from './silentPeers.ts'
import { addressMoves } from '../definitions/driverRegistry.ts'

/** Marks silent machines as lost, and advances drains: a machine gives up forwarded work first, then its own. */
export function advanceMachines(state: State, { observed, now }: Moment): Event[] {
  const lost = Object.values(state.machines).flatMap(({ name, lost }): Event[] => {
    const silentMs = now === null ? 0 : now - heardAt(state, observed, name)
    return !lost && silentMs >= limits.silenceMs ? [{ type: 'MachineLost', data: { machine: name, silentMs } }] : []
  })
  // Losses come first: the outcome of a drain depends on the machines that are still there.
  return lost.length > 0
    ? lost
    : Object.values(state.machines).flatMap((machine) => drainOf(state, machine, observed, now))
}

function drainOf(state: State, machine: Machine, observed: Observed, now: number | null): Event[] {
  const { name, traffic, lost, mayInterrupt } = machine
  if (traffic === 'unforwarding') {
    if (lost) return [drained(machine, 0)]
    if (!hasMadeWay(state, observed, machine) && !late(state, machine, now)) return []
    // Another machine may have failed since the drain began: continuing would now cause an outage that it would not
    // have then.
    const mayStill = mayInterrupt || lastServedBy(state, [name]).length === 0
    return [{ type: mayStill ? 'MachineDrainStepped' : 'MachineReadied', data: { machine: name } }]
  }
  if (traffic !== 'draining') return []
  const work = lost ? 0 : workLeft(observed, machine)
  return work === 0 || late(state, machine, now) ? [drained(machine, work ?? 0)] : []
}

/**
 * The other machines forward nothing to this one any more, and it holds no virtual address: all requests go elsewhere.
 */
function hasMadeWay(state: State, observed: Observed, { name, since }: Machine): boolean {
  if (silentPeers(state, observed, name, since).length > 0) return false
  if (addressMoves(state.cluster?.machines[name]?.drivers) === 'never') return true
  // A machine that has not reported since the controller started may still hold them.
  const report = observed[name]?.report
  return report !== undefined && report.applied.address >= since.position && report.addresses.held.length === 0
}

const drained = ({ name }: Machine, work: number): Event => ({ type: 'MachineDrained', data: { machine: name, work } })

const late = (state: State, machine: Machine, now: number | null): boolean =>
  now !== null && now >= machineDeadline(state, machine)

/** Milliseconds by the controller's clock; infinite for a machine without an operation in progress. */
export function machineDeadline(state: State, { name, traffic, since }: Machine): number {
  const from = countsFrom(state, since)
  if (traffic === 'unforwarding') {
    const isScript = addressMoves(state.cluster?.machines[name]?.drivers) === 'scripted'
    return from + (isScript ? limits.releaseScriptMs : limits.acknowledgeMs)
  }
  if (traffic !== 'draining') return Number.POSITIVE_INFINITY
  const drains = Object.values(state.instances)
    .filter((instance) => instance.machine === name)
    .map((instance) => definitionOf(state, instance.release).rollout.drainMs)
  return from + Math.max(limits.acknowledgeMs, ...drains)
}

/** Work in flight on the machine, once its balancer has applied the drain; `null` when it is not known yet. */
function workLeft(observed: Observed, { name, since }: Machine): number | null {
  const report = observed[name]?.report
  if (!report || report.applied.balancer < since.position) return null
  return report.instances.reduce((sum, instance) => sum + instance.work, 0)
}
