import type { Moment } from '../decision/moment.ts'
import { refuse, type Decision } from '../decision/refuse.ts'
import type { HeldState } from '../events/leadershipEvents.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import { featureHeldPins } from '../rollout/features.ts'
import { applyAll } from './advance.ts'
import { desiredState } from './desiredState.ts'
import { factsOf } from './factsOf.ts'
import type { World } from './rooms.ts'

/**
 * Continues with a log that was restored or lost: takes a term above every term that machines have seen, and adopts the
 * instances that they run. No service is changed. Every machine in the log must have reported, because an unreachable
 * machine would later be ordered to stop the instances that were not adopted.
 */
export function recoverLog(world: World, { id, version }: { id: string; version: string }, moment: Moment): Decision {
  const { observed, at } = moment
  const reports = Object.values(observed).map(({ report }) => report)
  const silent = Object.keys(world.machines).filter((machine) => !observed[machine])
  if (silent.length > 0 || reports.length === 0) {
    const who = silent.length > 0 ? `machine ${silent.join(', ')} has not reported` : 'no machine has reported'
    const next = 'start the agents first: only the machine itself can report the instances to adopt'
    return refuse('E_NO_MACHINE_REACHABLE', `${who} to this controller`, world.config.cluster, next)
  }
  // New machines come first: until then, the desired states of the others would name no machine to forward to.
  const unknown = reports.filter(({ machine }) => !Object.hasOwn(world.machines, machine))
  const joins = unknown.flatMap((report) => factsOf(world, report, moment))
  const joined = applyAll(world, joins, at)
  const seen = reports.flatMap((report) => report.seen ?? [])
  const term = Math.max(world.terms.at(-1)?.term ?? 0, ...seen.map((one) => one.term)) + 1
  const from = Math.max(world.position, ...seen.map((one) => one.position)) + 1
  const held = reports.map(({ held, machine }) => heldState(held ?? desiredState(joined, machine)))
  return { type: 'accepted', events: [...joins, { type: 'LogRecovered', data: { term, id, version, held } }], from }
}

const heldState = (state: MachineDesire): HeldState => {
  const { machine, drained, definitions, declaredRoutes, instances, routes, localRoutes } = state
  const pins = featureHeldPins(state)
  return { machine, drained, definitions, declaredRoutes, instances, routes, localRoutes, pins }
}
