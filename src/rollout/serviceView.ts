import type { Definition } from '../definitions/definition.ts'
import type { Target } from '../events/event.ts'
import { isRunning } from './maintenanceState.ts'
import { turnKey, type Instance, type Rollout, type Service, type State, type Turn } from './state.ts'

/** Questions that several decisions ask of the state. */

export const instancesOn = (state: State, service: string, machine: string): Instance[] =>
  Object.values(state.instances)
    .filter((instance) => instance.service === service && instance.machine === machine)
    .sort((a, b) => a.slot - b.slot)

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

/** The instance failed on its own; an instance that its machine interrupted is only restarting. */
export const isBroken = ({ state, interrupted }: Instance): boolean => state === 'failed' && !interrupted

/** The instance may still become ready. */
export const isPending = ({ state, interrupted }: Instance): boolean => state === 'starting' || interrupted

/** New instances that a turn waits for: those not yet in traffic, or all of them while an old instance serves. */
export function awaited(fresh: Instance[], old: Instance[]): Instance[] {
  const oldServes = old.some((instance) => instance.state === 'ready' && instance.traffic === 'active')
  return fresh.filter((instance) => isPending(instance) && (instance.traffic === 'idle' || oldServes))
}

export const isReachable = (state: State, machine: string): boolean => state.machines[machine]?.lost === false

/** The machine on which an operator, a maintenance or an upgrade is at work: no turn continues meanwhile. */
export function machineBusy(state: State): string | undefined {
  const draining = Object.values(state.machines).find(
    ({ traffic }) => traffic === 'unforwarding' || traffic === 'draining',
  )
  const upgraded = state.machines[state.upgrade?.at ?? '']?.name
  return draining?.name ?? upgraded ?? (isRunning(state.maintenance) ? state.maintenance.at?.machine : undefined)
}

/** A maintenance waits for the turns in progress, and no other turn begins between its machines. */
export const holdsNewTurns = (state: State): boolean => machineBusy(state) !== undefined || isRunning(state.maintenance)

/**
 * The instance takes requests of its own machine: it is ready and in traffic, and its machine is reachable and in
 * traffic.
 */
export function takesRequests(state: State, instance: Instance): boolean {
  const machine = state.machines[instance.machine]
  return (
    instance.state === 'ready' &&
    instance.traffic === 'active' &&
    machine?.lost === false &&
    machine.traffic === 'ready'
  )
}

/** Other machines can rely on the instance: it takes requests, and they may forward to it. */
export const serves = (state: State, instance: Instance): boolean =>
  takesRequests(state, instance) && !(state.turns[turnKey(instance.service, instance.machine)]?.unforwarded ?? false)

/** Whether some instance of the service would still serve without these. */
export const servesWithout = (state: State, service: string, without: string[]): boolean =>
  Object.values(state.instances).some(
    (instance) => instance.service === service && !without.includes(instance.id) && serves(state, instance),
  )

export function definitionOf(state: State, release: string): Definition {
  const known = state.releases[release]
  if (!known) throw new Error(`release ${release} is used but unknown: a bug`)
  return known.definition
}

/** Instances that a definition wants on a machine; none where an operator has stopped everything. */
export function wantedOn({ machines }: State, definition: Definition, machine: string): number {
  const { traffic, runsNothing } = machines[machine] ?? {}
  if (runsNothing && traffic === 'drained') return 0
  return definition.machines === null || definition.machines.includes(machine) ? definition.instances : 0
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

/** The services that only these machines serve now. */
export function lastServedBy(state: State, machines: readonly string[]): string[] {
  const carrying = Object.values(state.instances).filter(
    (one) => one.state === 'ready' && one.traffic === 'active' && definitionOf(state, one.release).listen !== 'none',
  )
  const elsewhere = carrying.filter((one) => !machines.includes(one.machine) && serves(state, one))
  const here = carrying.filter((one) => machines.includes(one.machine))
  const alone = here.filter((one) => !elsewhere.some((other) => other.service === one.service))
  return [...new Set(alone.map(({ service }) => service))].sort()
}

/** The first service without requests that only this machine runs; `null`: there is none. */
export function lastWorkerOn(state: State, machine: string): string | null {
  const ready = Object.values(state.instances).filter((one) => one.state === 'ready')
  const isElsewhere = (service: string): boolean =>
    ready.some((one) => one.service === service && one.machine !== machine && isReachable(state, one.machine))
  const last = ready.find(
    (one) => one.machine === machine && definitionOf(state, one.release).listen === 'none' && !isElsewhere(one.service),
  )
  return last?.service ?? null
}
