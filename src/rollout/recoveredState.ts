import type { EventData, ResolvedRoute } from '../events/event.ts'
import { asDeclared } from '../protocol/declaredRoutes.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import { keepIf } from '../lib/records.ts'
import { conforms } from './conforms.ts'
import { forgetUnusedGenerations } from './evolveInstance.ts'
import { laptopAddress } from './loopback.ts'
import { currentTarget } from './serviceView.ts'
import {
  newInstance,
  type Asked,
  type Generation,
  type Instance,
  type Machine,
  type Rollout,
  type Service,
  type State,
} from './state.ts'

/**
 * The state after `tandem controller recover`. For a machine that reported, its report replaces the log; for the other
 * machines the log holds. A service's current generation is the one with the most instances in traffic. A machine that
 * does not conform to it is `behind` and left alone until it returns or until the next rollout, so that recovering
 * changes nothing. Rollouts in progress are forgotten.
 */
export function recoveredState(before: State, data: EventData['LogRecovered'], asked: Asked): State {
  const { term, id, held } = data
  const adopted: State = {
    ...before,
    machines: recoveredMachines(before, held),
    releases: recoveredReleases(before, held, asked),
    instances: recoveredInstances(before, held),
    generations: { ...before.generations, ...recoveredGenerations(held) },
    loopbacks: { ...before.loopbacks, ...recoveredLoopbacks(held) },
    turns: {},
    upgrade: null,
    rollouts: {},
    terms: [...before.terms, { term, id, start: asked.position, recovered: true }],
    clockSince: asked.at,
    clockPosition: asked.position,
  }
  const names = new Set([
    ...Object.keys(before.services),
    ...Object.values(adopted.instances).map((one) => one.service),
  ])
  const services: Record<string, Service> = {}
  const rollouts: Record<string, Rollout> = {}
  for (const [index, name] of [...names].entries()) {
    const last = `${id}${index}`
    const service = recoveredService(name, last, adopted)
    const apart = held.flatMap(({ machine }) =>
      conforms(adopted, service, machine, currentTarget(adopted, service, machine)) ? [] : [machine],
    )
    services[name] = { ...service, behind: apart, leftAlone: apart }
    rollouts[last] = recoveredRollout(last, service, asked)
  }
  return forgetUnusedGenerations({ ...adopted, services, rollouts })
}

/** A log that may be gone decided whether a machine is drained: the desired state that the machine applied shows it. */
function recoveredMachines(state: State, held: DesiredState[]): Record<string, Machine> {
  const machines = { ...state.machines }
  for (const { machine, drained } of held) {
    const known = machines[machine]
    if (known) machines[machine] = { ...known, lost: false, traffic: drained ? 'drained' : 'ready', asked: 0 }
  }
  return machines
}

function recoveredReleases(state: State, held: DesiredState[], asked: Asked): State['releases'] {
  const releases = { ...state.releases }
  for (const machine of held) {
    for (const [release, known] of Object.entries(machine.definitions)) {
      const definition = asDeclared(known, machine.declaredRoutes[release])
      releases[release] ??= { id: release, service: definition.service, definition, at: asked.at }
    }
  }
  return releases
}

function recoveredInstances(state: State, held: DesiredState[]): Record<string, Instance> {
  const answered = new Set(held.map(({ machine }) => machine))
  const instances = keepIf(state.instances, (instance) => !answered.has(instance.machine))
  for (const { machine, instances: run } of held) {
    for (const { traffic, ...about } of run) {
      instances[about.id] = { ...newInstance({ ...about, machine }), traffic, state: 'ready', started: true }
    }
  }
  return instances
}

/** Stands for the rollouts before the recovery: instances started from here on are named after it. */
function recoveredRollout(id: string, service: Service, asked: Asked): Rollout {
  return {
    id,
    service: service.name,
    kind: 'deploy',
    release: service.current?.release ?? '',
    previous: null,
    allowOutage: false,
    removeData: false,
    stage: 'finished',
    stageSince: asked,
    prepare: null,
    order: [],
    machines: {},
    outcome: 'completed',
    aborted: false,
    reason: 'recovered',
    failure: null,
    failedMachine: null,
    returned: [],
  }
}

function recoveredService(name: string, last: string, state: State): Service {
  const known = state.services[name]
  const mine = Object.values(state.instances).filter((one) => one.service === name && one.state !== 'stopping')
  const active = (generation: string): number =>
    mine.filter((instance) => instance.generation === generation && instance.traffic === 'active').length
  const [first] = mine.toSorted((a, b) => active(b.generation) - active(a.generation))
  const current = first ? { release: first.release, generation: first.generation } : (known?.current ?? null)
  const completed = known?.completed ?? []
  return {
    name,
    current,
    stopped: !first,
    rollout: null,
    lastRollout: last,
    completed: current && completed.at(-1) !== current.release ? [...completed, current.release] : completed,
    behind: [],
    leftAlone: [],
  }
}

function recoveredGenerations(held: DesiredState[]): Record<string, Generation> {
  const generations: Record<string, Generation> = {}
  for (const machine of held) {
    for (const { generation, service, release } of machine.instances) {
      const routes = [...machine.routes, ...machine.localRoutes]
        .filter((route) => route.service === service && route.releases.includes(release))
        .map(({ match }): ResolvedRoute => (match.kind === 'tcp' ? { kind: 'tcp', port: match.port } : match))
      generations[generation] ??= { service, release, routes }
    }
  }
  return generations
}

function recoveredLoopbacks(held: DesiredState[]): State['loopbacks'] {
  return Object.fromEntries(
    held
      .flatMap(({ routes, localRoutes }) => [...routes, ...localRoutes])
      .flatMap(({ service, match }) =>
        match.kind === 'http' || match.address === null || match.address === laptopAddress
          ? []
          : [[service, match.address]],
      ),
  )
}
