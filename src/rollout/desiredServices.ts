import { remembered } from '../lib/remembered.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { DesiredInstance } from '../protocol/services.ts'
import { backTarget } from './backTarget.ts'
import { describedReleases } from './describedReleases.ts'
import { keptReleases } from './keptReleases.ts'
import { desiredRoutes } from './desiredRoutes.ts'
import { instancesOn } from '../fleet/serving.ts'
import { forwardTarget, runningRollout } from './serviceView.ts'
import type { Instance } from '../fleet/state.ts'
import { featureDesires, type FeatureSlice } from './features.ts'
import type { State } from './state.ts'

export type ServiceSlice =
  | 'fetch'
  | 'keep'
  | 'definitions'
  | 'probeHosts'
  | 'declaredRoutes'
  | 'publishedKeys'
  | 'instances'
  | 'routes'
  | 'localRoutes'
  | 'prepare'
  | 'removedData'
  | FeatureSlice

/** Everything of services and rollouts that one machine should have now. */
export function desiredServices(state: State, machine: string): Pick<MachineDesire, ServiceSlice> {
  const mine = Object.values(state.instances).filter((one) => one.machine === machine && one.state !== 'stopping')
  const prepare = preparesOn(state, machine)
  const fetch = fetchesOn(state, machine)
  const own = featureDesires(state, machine)
  return {
    fetch,
    keep: [...keptReleases(state)],
    ...describedReleases(
      state,
      [...prepare, ...own.render].map((one) => one.release),
    ),
    instances: mine.map(desiredInstance),
    ...desiredRoutes(state, machine),
    prepare,
    removedData: removedDataOn(state, machine),
    ...own,
  }
}

const desiredInstance = remembered(
  ({ id, service, release, slot, generation, traffic }: Instance): DesiredInstance => ({
    ...{ id, service, release, slot, generation, traffic },
  }),
)

/** Data is removed only when no instance is left that could still write to it. */
function removedDataOn(state: State, machine: string): string[] {
  const services = Object.keys(state.removedData).filter((service) => state.removedData[service]?.includes(machine))
  return services.filter((service) => instancesOn(state, service, machine).length === 0)
}

function preparesOn(state: State, machine: string): MachineDesire['prepare'] {
  return Object.values(state.rollouts)
    .filter(({ stage, prepare }) => stage === 'preparing' && prepare?.machine === machine)
    .map(({ id, service, release }) => ({ rollout: id, service, release }))
}

/**
 * Every machine of a rollout fetches the release at once, before the first turn; each machine also has the release that
 * it is to run or to go back to.
 */
function fetchesOn(state: State, machine: string): string[] {
  const releases = Object.values(state.services).flatMap((service) => {
    const rollout = runningRollout(state, service.name)
    const forward = rollout && rollout.stage !== 'returning' && rollout.machines[machine]
    return [
      forward ? forwardTarget(state, rollout, machine)?.release : undefined,
      backTarget(state, service, machine)?.release,
    ]
  })
  return [...new Set(releases.filter((release) => release !== undefined))]
}
