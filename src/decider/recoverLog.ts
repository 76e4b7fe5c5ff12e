import type { Moment } from '../decision/moment.ts'
import type { Observed } from '../decision/observed.ts'
import { refuse, type Decision } from '../decision/refuse.ts'
import type { HeldState } from '../events/leadershipEvents.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import { heldDefinitions } from '../rollout/describedReleases.ts'
import { featureHeldPins } from '../rollout/features.ts'
import { applyAll } from './advance.ts'
import { desiredState } from './desiredState.ts'
import { factsOf } from './factsOf.ts'
import type { World } from './rooms.ts'

interface Recovery {
  id: string
  version: string
  /** Machines that are gone for good. */
  without: readonly string[]
}

/**
 * Continues with a log that was restored or lost: takes a term above every term that machines have seen, and adopts the
 * instances that they run. No service is changed. Every machine in the log must have reported, because an unreachable
 * machine would later be ordered to stop the instances that were not adopted.
 */
export function recoverLog(world: World, { id, version, without }: Recovery, moment: Moment): Decision {
  const { observed, at } = moment
  for (const machine of without) {
    if (!Object.hasOwn(world.machines, machine)) {
      const known = Object.keys(world.machines).join(', ') || 'none'
      return refuse('E_NO_SUCH_MACHINE', `the log knows no machine ${machine}`, machine, `machines: ${known}`)
    }
    if (observed[machine])
      return refuse('E_USAGE', `machine ${machine} has reported`, machine, `leave --without ${machine} out`)
  }
  const waits = awaited(world, observed, without)
  if (waits) return refuse('E_NO_MACHINE_REACHABLE', waits.message, world.config.cluster, waits.next)
  const reports = Object.values(observed).map(({ report }) => report)
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

/** Why a log cannot be recovered yet; `null`: it can. */
export function awaited(
  world: World,
  observed: Observed,
  without: readonly string[] = [],
): { message: string; next: string } | null {
  const reports = Object.values(observed).map(({ report }) => report)
  const silent = Object.keys(world.machines).filter((machine) => !observed[machine] && !without.includes(machine))
  if (silent.length > 0 || reports.length === 0) {
    const message = silent.length > 0 ? `machine ${silent.join(', ')} has not reported` : 'no machine has reported'
    const gone = silent.map((machine) => ` --without ${machine}`).join('')
    return {
      message: `${message} to this controller`,
      next:
        'start the agents first: only the machine itself can report the instances to adopt' +
        (gone === '' ? '' : `; if it is gone for good: tandem controller recover${gone}`),
    }
  }
  // Until a machine has obeyed or refused this controller, its report does not say what it runs.
  const own = world.terms.at(-1)?.id
  const undecided = reports.filter(({ refused, seen }) => refused === null && seen?.termId !== own)
  if (undecided.length === 0) return null
  const names = undecided.map(({ machine }) => machine).join(', ')
  return {
    message: `machine ${names} has neither obeyed nor refused this controller yet`,
    next: 'it does so within seconds, unless it has a problem: tandem machines',
  }
}

/** The state that a machine has obeyed, as the log keeps it. */
export const heldState = (state: MachineDesire): HeldState => {
  const { machine, drained, instances, routes, localRoutes } = state
  const definitions = heldDefinitions(state)
  const pins = featureHeldPins(state)
  return { machine, drained, definitions, instances, routes, localRoutes, pins }
}
