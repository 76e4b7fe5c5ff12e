import type { Asked } from '../decision/base.ts'
import type { Recorded } from '../decision/room.ts'
import type { HeldState } from '../events/leadershipEvents.ts'
import type { ResolvedRoute } from '../events/rolloutEvents.ts'
import { recovered as recoveredFleet } from '../fleet/recoveredFleet.ts'
import { conforms } from './conforms.ts'
import { laptopAddress } from './loopback.ts'
import { currentTarget } from './serviceView.ts'
import type { Generation, Rollout, RolloutState, Service, State } from './state.ts'
import { usedGenerations } from './usedGenerations.ts'

/**
 * The services after `tandem controller recover`. For a machine that reported, its report replaces the log; for the
 * other machines the log holds. A service's current generation is the one with the most instances in traffic. A machine
 * that does not conform to it is `behind` and left alone until it returns or until the next rollout, so that recovering
 * changes nothing. Rollouts in progress are forgotten.
 */
export function recovered(before: State, event: Recorded<'LogRecovered'>, asked: Asked): Partial<RolloutState> {
  const { id, held } = event.data
  const adopted: State = {
    ...before,
    ...recoveredFleet(before, event, asked),
    generations: { ...before.generations, ...recoveredGenerations(before, held) },
    loopbacks: { ...before.loopbacks, ...recoveredLoopbacks(held) },
    turns: {},
    rollouts: {},
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
  const { turns, loopbacks } = adopted
  return { turns, loopbacks, services, rollouts, generations: usedGenerations({ ...adopted, services }) }
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
    ...known,
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

function recoveredGenerations(before: State, held: HeldState[]): Record<string, Generation> {
  const generations: Record<string, Generation> = {}
  for (const machine of held) {
    for (const { generation, service, release } of machine.instances) {
      const routes = [...machine.routes, ...(machine.localRoutes ?? [])]
        .filter((route) => route.service === service && route.releases.includes(release))
        .map(({ match }): ResolvedRoute => (match.kind === 'tcp' ? { kind: 'tcp', port: match.port } : match))
      generations[generation] ??= { service, release, routes, ...heldPins(before, machine, generation) }
    }
  }
  return generations
}

/** As the machine received them; those of the log where it received none. */
const heldPins = ({ generations }: State, { pins }: HeldState, generation: string): Pick<Generation, 'pins'> => {
  const found = pins?.[generation] ?? generations[generation]?.pins
  return found ? { pins: found } : {}
}

function recoveredLoopbacks(held: HeldState[]): RolloutState['loopbacks'] {
  return Object.fromEntries(
    held
      .flatMap(({ routes, localRoutes = [] }) => [...routes, ...localRoutes])
      .flatMap(({ service, match }) =>
        match.kind === 'http' || !match.address || match.address === laptopAddress ? [] : [[service, match.address]],
      ),
  )
}
