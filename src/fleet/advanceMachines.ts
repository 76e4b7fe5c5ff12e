import { countsFrom } from '../decision/base.ts'
import { limits } from '../decision/limits.ts'
import type { Moment } from '../decision/moment.ts'
import { heardAt, type Observed } from '../decision/observed.ts'
import type { Event } from '../events/event.ts'
import { definitionOf, lastServedBy } from './serving.ts'
import { silentPeers } from './silentPeers.ts'
import type { FleetWorld, Machine } from './state.ts'

/** Marks silent machines as lost, and advances drains: a machine gives up forwarded work first, then its own. */
export function advanceMachines(state: FleetWorld, moment: Moment): Event[] {
  const { observed, now } = moment
  const lost = Object.values(state.machines).flatMap(({ name, lost }): Event[] => {
    const silentMs = now === null ? 0 : now - heardAt(state, observed, name)
    return !lost && silentMs >= limits.silenceMs ? [{ type: 'MachineLost', data: { machine: name, silentMs } }] : []
  })
  // Losses come first: the outcome of a drain depends on the machines that are still there.
  return lost.length > 0 ? lost : Object.values(state.machines).flatMap((machine) => drainOf(state, machine, moment))
}

function drainOf(state: FleetWorld, machine: Machine, moment: Moment): Event[] {
  const { name, traffic, lost, mayInterrupt } = machine
  if (traffic === 'unforwarding') {
    if (lost) return [drained(machine, 0)]
    if (!hasMadeWay(state, machine, moment) && !late(state, machine, moment)) return []
    // Another machine may have failed since the drain began: continuing would now cause an outage that it would not
    // have then.
    const mayStill = mayInterrupt || lastServedBy(state, [name]).length === 0
    return [{ type: mayStill ? 'MachineDrainStepped' : 'MachineReadied', data: { machine: name } }]
  }
  if (traffic !== 'draining') return []
  const work = lost ? 0 : workLeft(moment.observed, machine)
  return work === 0 || late(state, machine, moment) ? [drained(machine, work ?? 0)] : []
}

/** The other machines forward nothing to this one any more, and nothing else directs requests to it. */
const hasMadeWay = (state: FleetWorld, { name, since }: Machine, moment: Moment): boolean =>
  silentPeers(state, moment.observed, name, since).length === 0 && moment.directing.hasLeft(name, since, moment)

const drained = ({ name }: Machine, work: number): Event => ({ type: 'MachineDrained', data: { machine: name, work } })

const late = (state: FleetWorld, machine: Machine, moment: Moment): boolean =>
  moment.now !== null && moment.now >= machineDeadline(state, machine, moment)

/** Milliseconds by the controller's clock; infinite for a machine without an operation in progress. */
export function machineDeadline(state: FleetWorld, { name, traffic, since }: Machine, { directing }: Moment): number {
  const from = countsFrom(state, since)
  if (traffic === 'unforwarding') return from + (directing.moveMs(name) ?? limits.acknowledgeMs)
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
