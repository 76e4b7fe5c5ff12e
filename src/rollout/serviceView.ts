import type { Definition } from '../definitions/definition.ts'
import type { Target } from '../events/rolloutEvents.ts'
import { definitionOf, instancesOn, isPending } from '../fleet/serving.ts'
import type { FleetState, Instance } from '../fleet/state.ts'
import type { Rollout, Service, State, Turn } from './state.ts'

/** Questions that several decisions ask about services and their turns. */

/** The turn's own instances: of the generation it goes to, not being stopped. */
export const freshOf = (state: State, { service, machine, target }: Turn): Instance[] =>
  instancesOn(state, service, machine).filter(
    (instance) =>
      instance.state !== 'stopping' && instance.generation === target?.generation && instance.slot <= target.instances,
  )

/** The other instances of the service on the turn's machine. */
export const oldOf = (state: State, turn: Turn): Instance[] => {
  const fresh = freshOf(state, turn)
  return instancesOn(state, turn.service, turn.machine).filter(
    (instance) => instance.state !== 'stopping' && !fresh.includes(instance),
  )
}

/** New instances that a turn waits for: those not yet in traffic, or all of them while an old instance serves. */
export function awaited(fresh: Instance[], old: Instance[]): Instance[] {
  const oldServes = old.some((instance) => instance.state === 'ready' && instance.traffic === 'active')
  return fresh.filter((instance) => isPending(instance) && (instance.traffic === 'idle' || oldServes))
}

/** Instances that a definition wants on a machine; none where an operator has stopped everything. */
export function wantedOn({ machines }: FleetState, definition: Definition, machine: string): number {
  const { traffic, runsNothing } = machines[machine] ?? {}
  if (runsNothing && traffic === 'drained') return 0
  return definition.machines === null || definition.machines.includes(machine) ? definition.instances : 0
}

/** The definition of the current release, or, before the first one has completed, of the one that is being rolled. */
export function definitionNow(state: State, service: string): Definition | null {
  const { current = null } = state.services[service] ?? {}
  const release = current?.release ?? runningRollout(state, service)?.release
  return release === undefined ? null : (state.releases[release]?.definition ?? null)
}

export function runningRollout(state: State, service: string): Rollout | null {
  const id = state.services[service]?.rollout
  return id ? (state.rollouts[id] ?? null) : null
}

/** The target that the service's current generation sets for a machine; `null`: no instances. */
export function currentTarget(state: State, service: Service, machine: string): Target | null {
  if (!service.current || service.stopped) return null
  const { release, generation } = service.current
  const definition = definitionOf(state, release)
  const instances = wantedOn(state, definition, machine)
  return instances === 0 ? null : { release, generation, instances, strategy: definition.rollout.strategy }
}

/** The target that a rollout going forward sets for a machine. */
export function forwardTarget(state: State, rollout: Rollout, machine: string): Target | null {
  if (rollout.kind === 'stop' || rollout.kind === 'remove') return null
  const definition = definitionOf(state, rollout.release)
  const instances = wantedOn(state, definition, machine)
  if (instances === 0) return null
  return { release: rollout.release, generation: rollout.id, instances, strategy: definition.rollout.strategy }
}

/** `replace` applies when either side declares it, until the last old instance is gone. */
export function strategyOf(state: State, turn: Pick<Turn, 'service' | 'machine' | 'target'>): 'overlap' | 'replace' {
  const releases = instancesOn(state, turn.service, turn.machine).map((instance) => instance.release)
  const strategies = releases.map((release) => definitionOf(state, release).rollout.strategy)
  return turn.target?.strategy === 'replace' || strategies.includes('replace') ? 'replace' : 'overlap'
}
