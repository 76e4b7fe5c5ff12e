import type { EventData, ResolvedRoute } from '../events/event.ts'
import type { DesiredInstance, DesiredState } from '../protocol/desiredState.ts'
import type { Asked, Generation, Instance, Rollout, Service, State } from './state.ts'

/**
 * The state after `tandem controller recover`: machines are believed about what they run, whatever the log said. A
 * service's current generation is the one with most instances in traffic; a machine that runs another one is `behind`,
 * so that nothing is changed by recovering. Rollouts that were under way are forgotten.
 */
export function recoveredState(state: State, data: EventData['LogRecovered'], asked: Asked): State {
  const { term, id, held } = data
  const releases = { ...state.releases }
  for (const machine of held) {
    for (const [release, definition] of Object.entries(machine.definitions)) {
      releases[release] ??= { id: release, service: definition.service, definition, at: asked.at }
    }
  }
  const instances = Object.fromEntries(held.flatMap((machine) => machine.instances.map((one) => adopt(machine, one))))
  const names = new Set(Object.values(instances).map((instance) => instance.service))
  const services: Record<string, Service> = {}
  const rollouts: Record<string, Rollout> = {}
  for (const [index, name] of [...names].entries()) {
    const last = `${id.slice(0, 6)}${index}`
    services[name] = recoveredService(name, last, state.services[name], Object.values(instances))
    rollouts[last] = recoveredRollout(last, services[name], asked)
  }
  const stopped = Object.values(state.services).filter((service) => !names.has(service.name))
  return {
    ...state,
    releases,
    instances,
    services: {
      ...Object.fromEntries(stopped.map((service) => [service.name, { ...service, rollout: null, stopped: true }])),
      ...services,
    },
    generations: { ...state.generations, ...recoveredGenerations(held) },
    turns: {},
    rollouts,
    terms: [...state.terms, { term, id, start: asked.position, recovered: true }],
    clockSince: asked.at,
  }
}

function adopt({ machine }: DesiredState, known: DesiredInstance): [string, Instance] {
  const { id, service, slot, release, generation, traffic } = known
  const instance: Instance = {
    ...{ id, service, machine, slot, release, generation, traffic },
    ...{ state: 'ready', started: true, reason: null, port: null, stopAsked: null },
  }
  return [id, instance]
}

/** Stands for what happened before: instances started from here on are named after it. */
function recoveredRollout(id: string, service: Service, asked: Asked): Rollout {
  return {
    ...{ id, service: service.name, kind: 'deploy', release: service.current?.release ?? '', previous: null },
    ...{ allowOutage: false, removeData: false, stage: 'finished', stageSince: asked, prepare: null, order: [] },
    ...{ machines: {}, aborted: false, reason: 'recovered', failure: null, failedMachine: null, returned: [] },
  }
}

function recoveredService(name: string, last: string, known: Service | undefined, all: Instance[]): Service {
  const mine = all.filter((instance) => instance.service === name)
  const active = (generation: string): number =>
    mine.filter((instance) => instance.generation === generation && instance.traffic === 'active').length
  const [first] = mine.toSorted((a, b) => active(b.generation) - active(a.generation))
  const current = first ? { release: first.release, generation: first.generation } : null
  const machines = new Set(mine.map((instance) => instance.machine))
  const differs = (machine: string): boolean =>
    mine.some((instance) => instance.machine === machine && instance.generation !== current?.generation)
  return {
    name,
    current,
    stopped: false,
    rollout: null,
    lastRollout: last,
    completed: [...(known?.completed ?? []), ...(current ? [current.release] : [])],
    behind: [...machines].filter(differs),
    leftAlone: [],
  }
}

function recoveredGenerations(held: DesiredState[]): Record<string, Generation> {
  const generations: Record<string, Generation> = {}
  for (const machine of held) {
    for (const { generation, service, release } of machine.instances) {
      const routes = machine.routes
        .filter((route) => route.service === service && route.releases.includes(release))
        .map((route): ResolvedRoute => route.match)
      generations[generation] ??= { service, release, routes }
    }
  }
  return generations
}
