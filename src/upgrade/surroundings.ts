import type { Moment } from '../decision/moment.ts'
import { hasReported } from '../decision/observed.ts'
import type { Machine } from '../fleet/state.ts'
import type { ObservedPart, Surroundings } from './observedPart.ts'
import { controllerPart, type UpgradeWorld } from './state.ts'

/** The parts as they are now: the machines sorted by name, not in the order in which they happened to join. */
export function surroundings(world: UpgradeWorld, moment: Moment): Surroundings {
  const { machines } = world
  const own: ObservedPart = {
    ...{ part: controllerPart, ...moment.self, isLost: false, hasReported: true },
    ...{ boot: world.terms.at(-1)?.term ?? 0, applied: Number.POSITIVE_INFINITY, instances: [] },
  }
  const others = moment.operations.filter(({ room }) => room !== 'upgrade')
  return {
    parts: [
      ...Object.keys(machines)
        .toSorted()
        .flatMap((name) => (machines[name] ? [partOf(world, machines[name], moment)] : [])),
      own,
    ],
    isBusy: others.some(({ machine, holdsNewTurns }) => machine !== null || holdsNewTurns),
    now: moment.now,
  }
}

function partOf(world: UpgradeWorld, { name, lost }: Machine, { observed }: Moment): ObservedPart {
  const report = observed[name]?.report
  return {
    part: name,
    isLost: lost,
    hasReported: hasReported(world, observed, name),
    version: report?.version ?? '',
    program: report?.program ?? null,
    boot: report?.boot ?? 0,
    applied: report?.seen?.position ?? 0,
    instances: (report?.instances ?? []).map(({ id, state }) => ({
      id,
      isReady: state === 'ready' || state === 'draining',
    })),
  }
}
